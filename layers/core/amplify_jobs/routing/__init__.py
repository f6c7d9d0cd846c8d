"""From an event and the routes to requests: pure decisions."""
