"""Answers of the API as the console's tests show them: an afternoon of a team with three apps.

A test compares them with the API's own models, so that they stay what the API answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 28, 14, 20, 0, tzinfo=UTC)
SHOP, DOCS, ADMIN = "d1shop00000001", "d2docs00000002", "d3admin0000003"
BROKEN, FIXED = "6baa233f0c1d2e3f405162738495a6b7c8d9e0f1", "833c85712a3b4c5d6e7f8091a2b3c4d5e6f70812"
ASKED = "9f1e02d3c4b5a69788796a5b4c3d2e1f00112233"
EXECUTIONS = "arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs:"


def at(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def request(request_id: str, **members: Any) -> dict[str, Any]:
    base = {
        "requestId": request_id,
        "state": "FINISHED",
        "outcome": "SUCCEEDED",
        "operation": "start_job",
        "route": "shop",
        "appId": SHOP,
        "appName": "shop",
        "branchName": "main",
        "jobType": "RELEASE",
        "attempts": 1,
        "repository": "acme/mono",
        "ref": "refs/heads/main",
        "author": "Ada Lovelace",
        "pusher": "ada",
        "trigger": "push",
        "links": {
            "console": f"https://eu-west-1.console.aws.amazon.com/amplify/apps/{SHOP}",
            "site": f"https://main.{SHOP}.amplifyapp.com",
            "log": f"/requests/{request_id}/log",
        },
    }
    return {**base, **members}


def _old(number: int, seconds: int, title: str, *, outcome: str = "SUCCEEDED", hours: float = 0.0) -> dict[str, Any]:
    return request(
        f"shop-{number:04}",
        jobId=str(number),
        outcome=outcome,
        requestedAt=at(hours=hours),
        startedAt=at(hours=hours, seconds=-4),
        endedAt=at(hours=hours, seconds=-4 - seconds),
        durationSeconds=seconds,
        commit=f"{number:02x}{FIXED[2:]}",
        commitBuilt=f"{number:02x}{FIXED[2:]}",
        commitMessage=title,
        failureSummary="A test failed: cart.test.ts" if outcome == "FAILED" else None,
    )


FAILED = request(
    "shop-cde836c2a17f4d0b",
    jobId="17",
    outcome="FAILED",
    requestedAt=at(minutes=5),
    startedAt=at(minutes=4, seconds=52),
    endedAt=at(minutes=3, seconds=20),
    durationSeconds=92,
    commit=ASKED,
    commitBuilt=BROKEN,
    commitMessage="Show the cart in the header\n\nIt was hard to find.",
    failureSummary="A package can't be installed: ERESOLVE react@19.0.0",
)
RUNNING = request(
    "admin-71be09d4cafe4a11",
    jobId="43",
    state="STARTED",
    outcome=None,
    appId=ADMIN,
    appName="admin",
    branchName="release/2026-11",
    route="admin-release",
    ref="refs/heads/release/2026-11",
    requestedAt=at(seconds=75),
    startedAt=at(seconds=48),
    commit="aa10b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3",
    commitMessage="Let operators end a session",
    author="Grace Hopper",
    pusher="grace",
)
WAITING = request(
    "docs-0b1c2d3e4f506172",
    jobId=None,
    state="RECEIVED",
    outcome=None,
    appId=DOCS,
    appName="docs",
    route="docs",
    requestedAt=at(seconds=12),
    trigger="schedule",
    commit=None,
    commitMessage=None,
    author=None,
    pusher=None,
    repository=None,
    ref=None,
    reason="nightly build",
    attempts=None,
)
REJECTED = request(
    "shop-production-99aa",
    jobId=None,
    state="REJECTED",
    outcome="REJECTED",
    branchName="production",
    route="shop-production",
    ref="refs/tags/v1.2.4",
    trigger="tag",
    requestedAt=at(minutes=31),
    endedAt=at(minutes=31),
    commit=FIXED,
    commitMessage="Version 1.2.4",
    reason="ListJobs: BadRequestException: Branch production not found.",
    attempts=0,
)
MODELS = request(
    "models-11ee22ff",
    operation="start_codegen_job",
    jobId="codegen-4f",
    jobType=None,
    branchName=None,
    environmentName="staging",
    appId=DOCS,
    appName="docs",
    route="design",
    trigger="object",
    requestedAt=at(hours=3),
    startedAt=at(hours=3, seconds=-2),
    endedAt=at(hours=3, seconds=-40),
    durationSeconds=38,
    repository=None,
    ref=None,
    author=None,
    pusher=None,
    commitMessage=None,
)
HISTORY = [
    _old(16, 74, "Fix the sum of the cart", hours=2),
    _old(15, 71, "Translate the check-out", hours=5),
    _old(14, 96, "Test the cart", outcome="FAILED", hours=7),
    _old(13, 68, "Load fonts from our own host", hours=22),
    _old(12, 70, "Lazy-load the map", hours=26),
    _old(11, 112, "Add the map of shops", hours=29),
    _old(10, 66, "Upgrade vite", hours=47),
    _old(9, 64, "Remove the old banner", hours=50),
    _old(8, 31, "Add the winter banner", outcome="CANCELLED", hours=51),
    _old(7, 65, "Sort by price", hours=70),
]
FINISHED = [FAILED, REJECTED, *HISTORY[:3], MODELS, *HISTORY[3:]]

STORY = {
    **FAILED,
    "event": {
        "source": "github",
        "kind": "push",
        "repository": "acme/mono",
        "ref": "refs/heads/main",
        "branch": "main",
        "commit": ASKED,
        "message": "Show the cart in the header",
        "author": "Ada Lovelace",
        "deliveryId": "91024057-87c1-11f0",
    },
    "parameters": {"appId": SHOP, "branchName": "main", "jobType": "RELEASE"},
    "warnings": [],
    "failure": {
        "cause": "npm-peer-conflict",
        "summary": "A package can't be installed: ERESOLVE react@19.0.0",
        "advice": "Two packages need different versions of a third one. Install versions that fit together.",
        "phase": "preBuild",
        "command": "npm ci",
        "excerpt": "npm error code ERESOLVE\nnpm error ERESOLVE could not resolve",
        "who": "author",
        "retryHelps": False,
        "log": "s3://amplify-jobs-bucket/logs/shop-cde836c2a17f4d0b/BUILD.txt",
    },
    "steps": [
        {
            "name": "BUILD",
            "status": "FAILED",
            "startedAt": at(minutes=4, seconds=52),
            "endedAt": at(minutes=3, seconds=20),
        },
        {"name": "DEPLOY", "status": "CANCELLED"},
        {"name": "VERIFY", "status": "CANCELLED"},
    ],
    "timeline": [
        {"time": at(minutes=5), "what": "received", "text": "The push was received from github."},
        {"time": at(minutes=5), "what": "requested", "text": "Route shop requested start_job."},
        {"time": at(minutes=4, seconds=52), "what": "started", "text": "Amplify started job 17."},
        {"time": at(minutes=3, seconds=20), "what": "finished", "text": "Job 17 failed in step BUILD."},
        {"time": at(minutes=3, seconds=19), "what": "announced", "text": "Job Finished was announced."},
    ],
    "announcements": [
        {"detailType": "Job Started", "at": at(minutes=4, seconds=51)},
        {"detailType": "Job Finished", "at": at(minutes=3, seconds=19)},
    ],
    "reports": [
        {
            "target": "statuses",
            "kind": "commit_status",
            "subject": "amplify-jobs/shop",
            "state": "sent",
            "at": at(minutes=3, seconds=18),
            "text": "failure: A package can't be installed",
        },
        {
            "target": "team",
            "kind": "slack",
            "subject": "shop-cde836c2a17f4d0b",
            "state": "waiting",
            "at": at(minutes=3, seconds=18),
            "text": "slack answered 503; the next try is in 5 minutes",
        },
    ],
    "execution": {"arn": f"{EXECUTIONS}shop-cde836c2a17f4d0b", "status": "SUCCEEDED"},
    "supersededBy": None,
    "supersedes": None,
    "results": None,
    "asOf": at(minutes=3, seconds=18),
    "isLive": False,
    "notes": [],
}


def story(summary: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """The story of a request that has none of its own here."""
    received = {"time": summary["requestedAt"], "what": "received", "text": "The request was received."}
    base = {
        "event": {"source": "github", "kind": summary["trigger"], "deliveryId": "91024057-87c1-11f0"},
        "parameters": {},
        "timeline": [received],
        "execution": {"arn": f"{EXECUTIONS}{summary['requestId']}", "status": "RUNNING"},
        "asOf": at(seconds=3),
    }
    return {**summary, **base, **members}


def as_deployment(story: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
    """The same job, if it had deployed an artifact."""
    place = {"appId": story["appId"], "branchName": story["branchName"]}
    arguments = parameters or {"artifact": "s3://releases/shop-1.4.zip"}
    return {**story, "operation": "start_deployment", "parameters": {**place, **arguments}}


STORIES = {
    "shop-cde836c2a17f4d0b": STORY,
    RUNNING["requestId"]: story(
        RUNNING,
        isLive=True,
        steps=[
            {"name": "BUILD", "status": "SUCCEED", "startedAt": at(seconds=48), "endedAt": at(seconds=9)},
            {"name": "DEPLOY", "status": "RUNNING", "startedAt": at(seconds=9)},
            {"name": "VERIFY", "status": "PENDING"},
        ],
        announcements=[{"detailType": "Job Started", "at": at(seconds=47)}],
    ),
    WAITING["requestId"]: story(WAITING, notes=["Amplify runs as many jobs as it may; this one waits for its turn."]),
    REJECTED["requestId"]: story(REJECTED, announcements=[{"detailType": "Job Rejected", "at": at(minutes=31)}]),
    MODELS["requestId"]: story(MODELS, results={"files": ["s3://bucket/models/schema.js"]}),
    **{one["requestId"]: story(one) for one in HISTORY},
}

_LOG = [
    "2026-11-28T14:15:08.120Z [INFO]: # Cloning repository: git@github.com:acme/mono.git",
    f"2026-11-28T14:15:09.001Z [INFO]: # Switching to commit: {BROKEN}",
    "2026-11-28T14:15:11.400Z [INFO]: # Starting phase: preBuild",
    "2026-11-28T14:15:11.402Z [INFO]: # Executing command: npm ci",
    *(f"2026-11-28T14:15:{12 + n // 4:02}.{n % 4}00Z [INFO]: fetched package {n + 1} of 120" for n in range(120)),
    "2026-11-28T14:16:38.000Z [WARNING]: npm warn deprecated inflight@1.0.6: This module is not supported",
    "2026-11-28T14:16:39.100Z [WARNING]: npm error code ERESOLVE",
    "2026-11-28T14:16:39.100Z [WARNING]: npm error ERESOLVE could not resolve",
    "2026-11-28T14:16:39.101Z [WARNING]: npm error While resolving: react-map@4.2.0",
    "2026-11-28T14:16:39.101Z [WARNING]: npm error Found: react@19.0.0",
    "2026-11-28T14:16:39.400Z [ERROR]: !!! Build failed",
    "2026-11-28T14:16:39.401Z [ERROR]: !!! Error: Command failed with exit code 1",
]
LOG: dict[str, Any] = {
    "step": "BUILD",
    "text": "\n".join(_LOG) + "\n",
    "offset": 9000,
    "complete": True,
    "failingLines": [126, 129],
}
LOG["asOf"] = at(minutes=3)
LIVE_LOG: dict[str, Any] = {**LOG, "text": "\n".join(_LOG[:60]) + "\n", "complete": False, "failingLines": None}
