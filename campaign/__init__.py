"""Storms of faults, kills and repeats over the service on a local cloud, and what must hold after them."""
