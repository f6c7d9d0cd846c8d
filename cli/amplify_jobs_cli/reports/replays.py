"""Announcements again to one target: a replay of the bus's archive to the rule that plans reports."""

from __future__ import annotations

from datetime import datetime, timedelta

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import required_member
from amplify_jobs.reporting.planning import replay_name
from amplify_jobs_cli.aws_calls import aws_call
from amplify_jobs_cli.stack import Stack

ARCHIVE_PERIOD = timedelta(days=30)
"""So long the bus's archive keeps announcements (template.yaml: BusArchive)."""
_CONFIG = client_config(attempts=3, connect_timeout=3, read_timeout=10)


def start_replay(stack: Stack, target: str, since: timedelta, now: datetime) -> str:
    """Have the announcements of the last `since` planned again for one target, and give the replay's name.

    API: EventBridge StartReplay. Raises ServiceTrouble.
    """
    name, archive_arn, bus = replay_name(target, now), stack.output("busArchiveArn"), stack.output("busName")
    # arn:aws:events:<region>:<account>:archive/<name>
    place = archive_arn.rpartition(":")[0]
    with aws_call("the announcements can't be replayed"):
        events = stack.session.client("events", config=_CONFIG)
        answer = events.start_replay(
            ReplayName=name,
            Description=f"amplify-jobs reports replay {target}",
            EventSourceArn=archive_arn,
            EventStartTime=now - since,
            EventEndTime=now,
            Destination={
                "Arn": f"{place}:event-bus/{bus}",
                "FilterArns": [f"{place}:rule/{bus}/{stack.name}-announced"],
            },
        )
        required_member(answer, "ReplayArn", str)
    return name
