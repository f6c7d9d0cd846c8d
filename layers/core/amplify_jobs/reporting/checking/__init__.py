"""Checks of targets: what is wrong with a secret, and whether the target's service takes it. Nothing here calls."""
