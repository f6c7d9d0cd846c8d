"""Making a new request of an old one: a person's replay gets a request id of its own, ending in -r1, -r2, …"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.operations import FOLLOW_JOB
from amplify_jobs.model.request import JobRequest, parse_job_request

MOST_REPLAYS = 99


def original_id(request_id: str) -> str:
    """Take a replay's ending off a request id."""
    return re.sub(r"-r[1-9][0-9]*$", "", request_id)


def make_replay(raw: Any, number: int, now: datetime) -> JobRequest:
    """Make the request of a replay from an execution's input.

    `number` counts the replays of the original from 1. Raises RequestRejected if the input is no job request, follows a
    job that somebody else started, or has a request id that leaves no room for the ending.
    """
    request = parse_job_request(raw)
    if request.operation == FOLLOW_JOB:
        raise RequestRejected("it started no job, but followed one; start a job in Amplify instead")
    content = {
        **request.model_dump(mode="json", by_alias=True),
        "requestId": f"{original_id(request.request_id)}-r{number}",
        "receivedAt": now.isoformat(),
    }
    return parse_job_request(content)
