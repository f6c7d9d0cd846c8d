"""Finds pushes of which no delivery has told: where the refs of a host stand, against what was asked for."""
