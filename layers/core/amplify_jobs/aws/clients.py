"""The settings of boto3's clients: how often a call is tried, and how long an answer is waited for.

Clients are made with boto3.client, from the default session, which all of them share. A session of its own loads all of
botocore's data anew: an eighth of a cold start (benchmarks/cold_start.py).
"""

from __future__ import annotations

from typing import Any

from botocore.config import Config


def client_config(*, attempts: int, read_timeout: int, connect_timeout: int = 2, **options: Any) -> Config:
    """Make the configuration of a client that sends each call at most `attempts` times; times are in seconds.

    `options` are further ones of botocore's Config.
    """
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return Config(retries=retries, connect_timeout=connect_timeout, read_timeout=read_timeout, **options)  # type: ignore[arg-type]


# One attempt and no more: a hidden retry of a call without a token would start a second job. The answer is waited for
# well below the function's own time-out, so that a lost one is noticed while there is time to say so.
NO_RETRY_CONFIG = client_config(attempts=1, connect_timeout=3, read_timeout=15)
READ_CONFIG = client_config(attempts=2, read_timeout=5)
