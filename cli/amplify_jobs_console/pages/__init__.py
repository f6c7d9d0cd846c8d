"""The pages: each module reads what it shows, and says how; templates make the HTML."""
