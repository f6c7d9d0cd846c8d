"""What all parts of local Amplify share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

from local.amplify.addresses import Addresses
from local.amplify.sources import OpenS3

Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class AmplifyContext:
    """Where local Amplify keeps its files, how it is reached, and what it reaches.

    `emit` takes the events that AWS sends to the default bus; it is called without the lock. `s3` gives a client of the
    S3 that deployments are read from, `now` the time of day. `clone_address` says where git finds the repository of an
    app. `lock` guards all state.
    """

    addresses: Addresses
    state_dir: Path
    emit: Emit
    s3: OpenS3
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clone_address: Callable[[str], str] = lambda address: address
    # mypy takes threading.RLock for a function.
    lock: RLock = field(default_factory=RLock)


@dataclass(frozen=True)
class JobLimits:
    """How many seconds a minute of a job's time limit lasts, and the most bytes that a deployed site may have."""

    minute: float = 60.0
    site_bytes: int = 5 << 30
