"""Starting exactly one job for a request."""
