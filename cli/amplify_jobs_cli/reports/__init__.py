"""Targets of reports: whether they work, what waits for them, and what they missed."""
