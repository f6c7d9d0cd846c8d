"""Git hosts in small: what each delivers of an operation on a repository, in the members that tell what happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 2, 1, 10, tzinfo=UTC)
ZEROS = "0" * 40
MAIN = "f" * 40
REFS = ("refs/heads/main", "refs/tags/v1")
REPOSITORIES = {"bitbucket-server": "ACME/web", "azure-devops": "acme/web", "codecommit": "web"}


@dataclass(frozen=True)
class Operation:
    """What someone did: a push of a ref from `before` to `after`, or a deed to pull request `number`.

    `serial` tells operations apart, `seconds` run from BEGIN. A pull request's `before` is its head before, and `merge`
    the serial of the latest operation that made the host try to merge it.
    """

    deed: str
    serial: int
    seconds: int
    ref: str = ""
    before: str | None = None
    after: str | None = None
    number: int = 0
    merge: int = 0
    title: str = "Add x"

    @property
    def is_of_ref(self) -> bool:
        return self.deed == "push"

    def time(self, layout: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
        """The time as a host writes it."""
        return (BEGIN + timedelta(seconds=self.seconds)).strftime(layout)


@dataclass(frozen=True)
class Attempt:
    """One attempt to deliver: to an HTTP API, or by EventBridge, which has no headers."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def content(self) -> bytes:
        return json.dumps(self.body).encode()


Render = Callable[[Operation, int], Attempt]


def github(operation: Operation, attempt: int) -> Attempt:
    """Redelivery by hand keeps the id; a body that someone replays has another."""
    headers = {"X-GitHub-Delivery": f"{operation.serial}-{attempt}"}
    repository: dict[str, Any] = {"full_name": "acme/web", "html_url": "https://github.com/acme/web"}
    if operation.is_of_ref:
        repository |= {"pushed_at": int(BEGIN.timestamp()) + operation.seconds}
        return Attempt({**headers, "X-GitHub-Event": "push"}, _push_like_github(operation, repository))
    actions = {"updated": "synchronize", "nothing": "labeled"}
    body = _pull_request_like_github(operation, repository, actions)
    if operation.deed == "updated":
        body |= {"before": operation.before, "after": operation.after}
    return Attempt({**headers, "X-GitHub-Event": "pull_request"}, body)


def gitea(operation: Operation, attempt: int, host: str = "Gitea") -> Attempt:
    """Redelivery by hand has another id. What it says of times is how things were before the operation."""
    headers = {f"X-{host}-Delivery": f"{operation.serial}-{attempt}"}
    earlier = operation.time() if operation.deed in {"opened", "closed", "reopened"} else _earlier(operation)
    repository = {"full_name": "acme/web", "html_url": "https://git.example.com/acme/web", "updated_at": earlier}
    if operation.is_of_ref:
        return Attempt({**headers, f"X-{host}-Event": "push"}, _push_like_github(operation, repository))
    actions = {"updated": "synchronized", "nothing": "label_updated"}
    body = _pull_request_like_github(operation, repository, actions)
    body["pull_request"]["updated_at"] = earlier
    return Attempt({**headers, f"X-{host}-Event": "pull_request"}, body)


def forgejo(operation: Operation, attempt: int) -> Attempt:
    """As Gitea, with its own headers."""
    return gitea(operation, attempt, "Forgejo")


def gitlab(*id_headers: str) -> Render:
    """GitLab of a version that has these headers for the id, which a retry and a resend keep."""

    def render(operation: Operation, attempt: int) -> Attempt:
        headers = dict.fromkeys(id_headers, f"id-{operation.serial}")
        project = {"path_with_namespace": "acme/web", "web_url": "https://gitlab.example.com/acme/web"}
        if operation.is_of_ref:
            kind = "tag_push" if operation.ref.startswith("refs/tags/") else "push"
            body: dict[str, Any] = {
                "object_kind": kind,
                "ref": operation.ref,
                "before": operation.before or ZEROS,
                "after": operation.after or ZEROS,
                "checkout_sha": operation.after,
                "project": project,
                "commits": [],
                "total_commits_count": 0,
            }
            return Attempt(headers, body)
        actions = {"opened": "open", "closed": "close", "reopened": "reopen"}
        attributes = {
            "iid": operation.number,
            "title": operation.title,
            "action": actions.get(operation.deed, "update"),
            "state": "closed" if operation.deed == "closed" else "opened",
            "updated_at": operation.time("%Y-%m-%d %H:%M:%S UTC"),
            "source_branch": "feat",
            "target_branch": "main",
            "source_project_id": 1,
            "target_project_id": 1,
            "last_commit": {"id": operation.after},
            "target": project,
        }
        if operation.deed == "updated":
            attributes["oldrev"] = operation.before
        return Attempt(headers, {"object_kind": "merge_request", "project": project, "object_attributes": attributes})

    return render


def bitbucket(operation: Operation, attempt: int) -> Attempt:
    """A retry counts its attempts and keeps its id. A pull request's time is in microseconds."""
    headers = {"X-Request-UUID": f"id-{operation.serial}", "X-Attempt-Number": str(attempt)}
    repository = {"full_name": "acme/web"}
    if operation.is_of_ref:
        kind = "tag" if operation.ref.startswith("refs/tags/") else "branch"
        name = operation.ref.split("/", 2)[2]
        old, new = (
            {"type": kind, "name": name, "target": {"hash": commit}} if commit else None
            for commit in (operation.before, operation.after)
        )
        body = {"push": {"changes": [{"old": old, "new": new}]}, "repository": repository}
        return Attempt({**headers, "X-Event-Key": "repo:push"}, body)
    words = {"opened": "created", "closed": "rejected", "nothing": "approved"}
    pull = {
        "id": operation.number,
        "title": operation.title,
        "updated_on": operation.time(f"%Y-%m-%dT%H:%M:%S.{operation.serial:06}+00:00"),
        "source": {"branch": {"name": "feat"}, "commit": {"hash": operation.after}, "repository": repository},
        "destination": {"branch": {"name": "main"}, "repository": repository},
    }
    key = f"pullrequest:{words.get(operation.deed, 'updated')}"
    return Attempt({**headers, "X-Event-Key": key}, {"pullrequest": pull, "repository": repository})


def bitbucket_server(operation: Operation, attempt: int) -> Attempt:
    """Each request has an id of its own."""
    headers = {"X-Request-Id": f"{operation.serial}-{attempt}"}
    repository = {"slug": "web", "project": {"key": "ACME"}}
    body: dict[str, Any] = {"date": operation.time("%Y-%m-%dT%H:%M:%S+0000")}
    if operation.is_of_ref:
        kind = "UPDATE" if operation.before and operation.after else "ADD" if operation.after else "DELETE"
        change = {
            "ref": {"id": operation.ref},
            "fromHash": operation.before or ZEROS,
            "toHash": operation.after or ZEROS,
            "type": kind,
        }
        body |= {"repository": repository, "changes": [change]}
        return Attempt({**headers, "X-Event-Key": "repo:refs_changed"}, body)
    words = {"closed": "declined", "updated": "from_ref_updated", "nothing": "reviewer:approved"}
    body["pullRequest"] = {
        "id": operation.number,
        "title": operation.title,
        "fromRef": {"id": "refs/heads/feat", "latestCommit": operation.after, "repository": repository},
        "toRef": {"id": "refs/heads/main", "repository": repository},
    }
    if operation.deed == "updated":
        body["previousFromHash"] = operation.before
    return Attempt({**headers, "X-Event-Key": f"pr:{words.get(operation.deed, operation.deed)}"}, body)


def azure_devops(*, messages: bool) -> Render:
    """A retry is the same notification. Without messages an update shows what it was only by the merge it made."""

    def render(operation: Operation, attempt: int) -> Attempt:
        repository = {"id": "98f0ce59", "name": "web", "project": {"name": "acme"}}
        body: dict[str, Any] = {
            "id": f"event-{operation.serial}",
            "createdDate": operation.time("%Y-%m-%dT%H:%M:%S.1234567Z"),
        }
        if operation.is_of_ref:
            update = {
                "name": operation.ref,
                "oldObjectId": operation.before or ZEROS,
                "newObjectId": operation.after or ZEROS,
            }
            push = {"refUpdates": [update], "repository": repository, "date": operation.time()}
            return Attempt({}, {**body, "eventType": "git.push", "resource": push})
        deeds = {
            "opened": "created",
            "updated": "updated the source branch of",
            "closed": "abandoned",
            "reopened": "reactivated",
            "nothing": "approved",
        }
        resource: dict[str, Any] = {
            "repository": repository,
            "pullRequestId": operation.number,
            "title": operation.title,
            "status": "abandoned" if operation.deed == "closed" else "active",
            "sourceRefName": "refs/heads/feat",
            "targetRefName": "refs/heads/main",
            "lastMergeSourceCommit": {"commitId": operation.after},
            "lastMergeCommit": {"commitId": f"{operation.merge:040x}"},
        }
        if operation.deed == "closed":
            resource["closedDate"] = operation.time()
        if messages:
            text = f"Ada {deeds[operation.deed]} pull request {operation.number} (Add x) in web\r\nhttps://…"
            body["message"] = {"text": text}
        word = "created" if operation.deed == "opened" else "updated"
        return Attempt({}, {**body, "eventType": f"git.pullrequest.{word}", "resource": resource})

    return render


def codecommit(operation: Operation, attempt: int) -> Attempt:
    """EventBridge delivers the same event again."""
    event: dict[str, Any] = {
        "source": "aws.codecommit",
        "id": f"event-{operation.serial}",
        "account": "111122223333",
        "region": "eu-west-1",
        "time": operation.time(),
        "resources": ["arn:aws:codecommit:eu-west-1:111122223333:web"],
    }
    if operation.is_of_ref:
        kind = "Updated" if operation.before and operation.after else "Created" if operation.after else "Deleted"
        detail: dict[str, Any] = {
            "event": f"reference{kind}",
            "repositoryName": "web",
            "referenceFullName": operation.ref,
            "commitId": operation.after or operation.before,
            "oldCommitId": operation.before,
        }
        return Attempt({}, {**event, "detail-type": "CodeCommit Repository State Change", "detail": detail})
    words = {
        "opened": "pullRequestCreated",
        "updated": "pullRequestSourceBranchUpdated",
        "closed": "pullRequestStatusChanged",
        "nothing": "pullRequestApprovalStateChanged",
    }
    detail = {
        "event": words[operation.deed],
        "repositoryNames": ["web"],
        "pullRequestId": str(operation.number),
        "pullRequestStatus": "Closed" if operation.deed == "closed" else "Open",
        "sourceReference": "refs/heads/feat",
        "destinationReference": "refs/heads/main",
        "sourceCommit": operation.after,
    }
    return Attempt({}, {**event, "detail-type": "CodeCommit Pull Request State Change", "detail": detail})


def _earlier(operation: Operation) -> str:
    return (BEGIN + timedelta(seconds=operation.seconds - 1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _push_like_github(operation: Operation, repository: dict[str, Any]) -> dict[str, Any]:
    return {
        "ref": operation.ref,
        "before": operation.before or ZEROS,
        "after": operation.after or ZEROS,
        "commits": [],
        "repository": repository,
    }


def _pull_request_like_github(
    operation: Operation, repository: dict[str, Any], actions: dict[str, str]
) -> dict[str, Any]:
    pull = {
        "number": operation.number,
        "title": operation.title,
        "state": "closed" if operation.deed == "closed" else "open",
        "merged": False,
        "updated_at": operation.time(),
        "user": {"login": "ada"},
        "head": {"ref": "feat", "label": "feat", "sha": operation.after, "repo": repository},
        "base": {"ref": "main", "sha": MAIN, "repo": repository},
    }
    action = actions.get(operation.deed, operation.deed)
    return {"action": action, "number": operation.number, "pull_request": pull, "repository": repository}


# Every git host, in all forms in which its versions deliver: the provider, and how it renders an operation.
FORMS: dict[str, tuple[str, Render]] = {
    "github": ("github", github),
    "gitlab 19": ("gitlab", gitlab("webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID")),
    "gitlab 17": ("gitlab", gitlab("Idempotency-Key")),
    "gitlab 14": ("gitlab", gitlab("X-Gitlab-Event-UUID")),
    "bitbucket": ("bitbucket", bitbucket),
    "bitbucket-server": ("bitbucket-server", bitbucket_server),
    "gitea": ("gitea", gitea),
    "forgejo": ("forgejo", forgejo),
    "azure-devops": ("azure-devops", azure_devops(messages=True)),
    "azure-devops without messages": ("azure-devops", azure_devops(messages=False)),
    "codecommit": ("codecommit", codecommit),
}


def rendered(provider: str) -> list[Attempt]:
    """What a host delivers of an operation of each kind, in all its forms."""
    a, b = "a" * 40, "b" * 40
    operations = [
        *(Operation("push", 1, 1, ref, *change) for ref in REFS for change in ((b, a), (None, a), (a, None))),
        *(
            Operation(deed, 1, 1, before=b, after=a, number=7, merge=1)
            for deed in ("opened", "updated", "reopened", "closed", "nothing")
            if (provider, deed) != ("codecommit", "reopened")
        ),
    ]
    renders = [render for name, render in FORMS.values() if name == provider]
    return [render(operation, 1) for render in renders for operation in operations]
