"""What local Amplify knows: apps, their branches and their jobs. Whoever holds the lock may read and change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

from local.amplify.sources import Source
from local.processes import Processes

WAITING = ("CREATED", "PENDING")
RUNNING = ("PROVISIONING", "RUNNING", "CANCELLING")
ENDED = ("SUCCEED", "FAILED", "CANCELLED")


def _key() -> str:
    """A name for directories and addresses that nobody can guess."""
    return uuid4().hex


@dataclass
class Step:
    """One step of a job, in the API's own words; `log` and `artifacts` are files in the job's directory."""

    name: str
    status: str = "PENDING"
    started: datetime | None = None
    ended: datetime | None = None
    reason: str | None = None
    context: str | None = None
    log: str | None = None
    artifacts: str | None = None


@dataclass
class Job:
    """One job; `directory` holds its logs and artifacts, `processes` and `thread` are there while it runs.

    A deployment has a `source` and no commit; any other job has a commit and no source. `commit_id` is what the API
    answers, `built_commit` the id and the first line of the message of what was cloned.
    """

    number: int
    type: str
    started: datetime
    directory: Path
    commit_id: str | None = None
    commit_message: str | None = None
    commit_time: datetime | None = None
    built_commit: str | None = None
    source: Source | None = None
    key: str = field(default_factory=_key)
    status: str = "PENDING"
    ended: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    processes: Processes | None = None
    thread: Thread | None = None

    @property
    def id(self) -> str:
        """The id in the API and in events."""
        return str(self.number)

    @property
    def padded_id(self) -> str:
        """The id in ARNs and in AWS_JOB_ID."""
        return f"{self.number:010}"


@dataclass
class Branch:
    """One branch; `settings` are the members that CreateBranch and UpdateBranch set, `site` is what is served."""

    app_id: str
    name: str
    settings: dict[str, Any]
    created: datetime
    updated: datetime
    key: str = field(default_factory=_key)
    jobs: dict[int, Job] = field(default_factory=dict)
    last_number: int = 0
    site: Path | None = None
    deployed_job_id: str = ""
    deployed: datetime | None = None


@dataclass
class App:
    """One app; `settings` are the members that CreateApp and UpdateApp set, `serial` its place in their order."""

    id: str
    serial: int
    settings: dict[str, Any]
    created: datetime
    updated: datetime
    branches: dict[str, Branch] = field(default_factory=dict)
