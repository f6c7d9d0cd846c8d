"""Amplify on one machine: real builds of real repositories behind the service's own API."""

from local.amplify.service import LocalAmplify

__all__ = ["LocalAmplify"]
