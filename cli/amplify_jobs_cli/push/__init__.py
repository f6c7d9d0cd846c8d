"""Storing routes and schedules in a deployed stack."""
