"""Checks of a deployed stack from the outside: what holds, what does not, and what to do."""
