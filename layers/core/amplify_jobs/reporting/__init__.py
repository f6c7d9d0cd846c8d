"""Reports: announcements delivered to where people look, such as commit statuses, chats and outgoing webhooks."""
