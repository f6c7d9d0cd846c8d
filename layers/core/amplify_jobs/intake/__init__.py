"""Accepting events: verify, match, start an execution for each request, or put them into the intake queue."""
