"""Delivers the webhook of a push to a bare repository, as GitHub or Gitea; its post-receive hook runs this."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from amplify_jobs.events.webhooks import gitea, github
from demo.repository import FULL_NAME, git
from local.server.broken_pipe import until_nobody_reads

NO_COMMIT = "0" * 40
# What Gitea sends of a push is GitHub's payload, under headers of its own.
HOSTS = {"github": ("X-GitHub", github), "gitea": ("X-Gitea", gitea)}


def push_payload(repository: Path, before: str, after: str, ref: str) -> dict[str, Any]:
    """Describe a push as GitHub does (webhook event "push"), with the members that a receiver reads."""
    full_name, now = os.environ.get("FULL_NAME", FULL_NAME), datetime.now(UTC)
    deleted = after == NO_COMMIT
    head = None if deleted else _commit(repository, after)
    commits = [] if deleted or before == NO_COMMIT else _commits(repository, before, after)
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == NO_COMMIT,
        "deleted": deleted,
        "forced": False,
        "head_commit": head,
        "commits": commits or [commit for commit in [head] if commit],
        "repository": {
            "full_name": full_name,
            "html_url": f"https://git.example/{full_name}",
            "pushed_at": int(now.timestamp()),
            "updated_at": now.isoformat(timespec="seconds"),
        },
        "pusher": {"name": "ada"},
        "sender": {"login": "ada"},
    }


def deliver(url: str, secret: str, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """POST a signed delivery, and give the status and the JSON that came back. Raises OSError if nothing answers."""
    body = json.dumps(payload).encode()
    prefix, host = HOSTS[os.environ.get("WEBHOOK_HOST", "github")]
    headers = {
        "Content-Type": "application/json",
        f"{prefix}-Event": "push",
        f"{prefix}-Delivery": str(uuid.uuid4()),
        host.SIGNATURE_HEADER: host.sign(secret, body),
    }
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 -- our own address
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def _commits(repository: Path, before: str, after: str) -> list[dict[str, Any]]:
    ids = git("rev-list", "--reverse", f"{before}..{after}", cwd=repository).split()
    return [_commit(repository, commit) for commit in ids]


def _commit(repository: Path, commit: str) -> dict[str, Any]:
    name, time, message = git("show", "-s", "--format=%an%x00%cI%x00%B", commit, cwd=repository).split("\0", 2)
    changes: dict[str, list[str]] = {"A": [], "M": [], "D": []}
    listing = git(
        "diff-tree", "--root", "--no-commit-id", "--no-renames", "-r", "--name-status", commit, cwd=repository
    )
    for line in listing.splitlines():
        kind, path = line.split("\t", 1)
        changes[kind if kind in changes else "M"].append(path)
    return {
        "id": commit,
        "message": message.strip(),
        "timestamp": time,
        "author": {"name": name, "username": name.lower()},
        "added": changes["A"],
        "modified": changes["M"],
        "removed": changes["D"],
    }


def _report(url: str, code: int, answer: dict[str, Any]) -> list[str]:
    lines = [f"POST {urlsplit(url).path} answered {code} {answer.get('message', '')}".rstrip()]
    for request in answer.get("requests", []):
        repeat = ", a duplicate" if request["duplicate"] else ""
        lines.append(f"  request {request['requestId']}: {request['operation']} by route {request['route']}{repeat}")
    # What waits for another host is not worth a line.
    ignored = [decision for decision in answer.get("ignored", []) if not decision["reason"].startswith("source ")]
    return lines + [f"  no request by route {decision['route']}: {decision['reason']}" for decision in ignored]


def main() -> int:
    """Deliver one webhook per line that git gives a post-receive hook: before, after, ref."""
    repository = Path(sys.argv[1])
    url, secret = os.environ["WEBHOOK_URL"], os.environ["WEBHOOK_SECRET"]
    status = 0
    for line in sys.stdin:
        before, after, ref = line.split()
        try:
            code, answer = deliver(url, secret, push_payload(repository, before, after, ref))
        except OSError:
            # git has the commits already; only the delivery is lost.
            print(f"{url} does not answer: the local cloud is not running; start it with: make run")  # noqa: T201
            return 1
        print("\n".join(_report(url, code, answer)))  # noqa: T201 -- git shows it to who pushed
        status = status or int(code >= 300)
    return status


if __name__ == "__main__":
    sys.exit(until_nobody_reads(main))
