"""What each host tells: one table, in the code that warns of routes, in the docs, and in what the hosts send."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.events.event import Event, EventKind, PullRequestAction
from amplify_jobs.events.git_hosts import TITLES, git_host, omit
from amplify_jobs_cli.routes_file.host_omissions import omission_warnings
from tests.support.git_hosts import rendered
from tests.support.recorded_webhooks import SHARED, corpus_body, parse, rows
from tests.unit.events.test_deliveries import DOCS, LISTING_FILES, PULLS, A, B, event, pulled, pushed, several

DOCUMENT = Path(__file__).parents[3] / "docs" / "git-hosts.md"
COLUMNS = [
    (EventKind.PUSH, "changed_files"),
    (EventKind.PUSH, "author"),
    (EventKind.TAG, "author"),
    (EventKind.PULL_REQUEST, "author"),
    (EventKind.PULL_REQUEST, "draft"),
    (EventKind.PULL_REQUEST, "became_ready"),
    (EventKind.PULL_REQUEST, "reopened"),
    (EventKind.PULL_REQUEST, "before"),
    (EventKind.PULL_REQUEST, "ref"),
    (EventKind.RELEASE, "release"),
    (EventKind.RELEASE, "branch"),
]
# Author and message of a push are told together, or neither is.
ALL = [*COLUMNS, (EventKind.PUSH, "message"), (EventKind.TAG, "message"), (EventKind.PULL_REQUEST, "changed_files")]


def table() -> dict[str, list[str]]:
    """The cells of the table in the docs, by the host of their row."""
    section = DOCUMENT.read_text().partition("## What each host sends")[2].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in section.splitlines() if "|" in line]
    return {first.strip("`"): cells for first, *cells in lines[2:]}


def test_the_docs_say_what_the_code_does() -> None:
    expected = {host: ["no" if omit([host], [kind], member) else "yes" for kind, member in COLUMNS] for host in TITLES}
    assert table() == expected


def has_fact(event: Event, member: str) -> bool:
    pull = event.pull_request
    if member == "reopened":
        return pull is not None and pull.action is PullRequestAction.REOPENED
    if member in ("draft", "became_ready"):
        return pull is not None and bool(getattr(pull, member) or (member == "draft" and pull.draft is not None))
    return getattr(event, member) is not None


def telling() -> Iterator[tuple[str, Event]]:
    """Events with all that the hosts can tell, as far as we know."""
    for host in TITLES:
        for attempt in rendered(host):
            yield from ((host, event) for event in parse(host, attempt.headers, attempt.content).events)
    for name, (host, payload) in PULLS.items():
        for moment in ("opened", "pushed", "ready", "moved"):
            yield host, pulled(name, moment, draft=moment == "opened")
        headers, body = payload("opened", False, "ada")
        if host in ("github", "gitea", "forgejo"):
            yield host, event(host, (headers, {**body, "action": "reopened"}))
    _, body = PULLS["gitlab"][1]("opened", False, "ada")
    yield (
        "gitlab",
        event("gitlab", ({}, {**body, "object_attributes": {**body["object_attributes"], "action": "reopen"}})),
    )
    headers, body = PULLS["bitbucket-server"][1]("opened", False, "ada")
    yield "bitbucket-server", event("bitbucket-server", ({"X-Event-Key": "pr:reopened"}, body))
    headers, body = PULLS["bitbucket-server"][1]("pushed", False, "ada")
    yield "bitbucket-server", event("bitbucket-server", (headers, {**body, "previousFromHash": B}))
    headers, body = PULLS["github"][1]("pushed", False, "ada")
    yield "github", event("github", (headers, {**body, "before": B, "after": A}))
    for host in LISTING_FILES:
        yield host, pushed(host, A, [DOCS])
        yield host, pushed(host, A, [DOCS], ref="refs/tags/v1", checkout_sha=B)
    for host in ("github", "gitea", "forgejo"):
        header = {"github": "X-GitHub-Event", "gitea": "X-Gitea-Event", "forgejo": "X-Forgejo-Event"}[host]
        members = {"tag_name": "v1", "target_commitish": "main", "name": "One"}
        body = {"action": "published", "release": members, "repository": {"full_name": "acme/web"}}
        yield host, event(host, ({header: "release"}, body))
    headers, body = PULLS["azure-devops"][1]("ready", False, "ada")
    yield (
        "azure-devops",
        event("azure-devops", (headers, body | {"message": {"text": "Ada published the pull request"}})),
    )
    commit = {"commitId": A, "comment": "m", "author": {"name": "Ada"}}
    resource = {
        "refUpdates": [{"name": "refs/tags/v1", "oldObjectId": B, "newObjectId": A}],
        "repository": {"name": "web", "project": {"name": "acme"}},
        "commits": [commit],
    }
    yield "azure-devops", event("azure-devops", ({}, {"eventType": "git.push", "resource": resource}))
    change = {"ref": {"id": "refs/tags/v1"}, "fromHash": B, "toHash": A, "type": "ADD"}
    body = {
        "changes": [change],
        "repository": {"slug": "web", "project": {"key": "acme"}},
        "toCommit": {"id": A, "message": "m", "author": {"name": "Ada"}},
    }
    yield "bitbucket-server", event("bitbucket-server", ({"X-Event-Key": "repo:refs_changed"}, body))
    for host in ("bitbucket", "bitbucket-server", "azure-devops"):
        yield from ((host, result) for result in several(host, ["refs/heads/main", "refs/tags/v1"]).events)


@cache
def events() -> list[tuple[str, Event]]:
    """All events of all hosts that the tests know, recorded ones included."""
    result = list(telling())
    for row in rows() if SHARED.exists() else []:
        delivery = parse(row["provider"], row["headers"], corpus_body(row["file"]))
        result += [(row["provider"], occurrence) for occurrence in delivery.events]
    return result


@pytest.mark.parametrize("host", TITLES)
@pytest.mark.parametrize(("kind", "member"), ALL)
def test_a_host_tells_what_the_table_says_and_nothing_that_it_denies(host: str, kind: EventKind, member: str) -> None:
    events_of_kind = [occurrence for of, occurrence in events() if of == host and occurrence.kind is kind]
    telling = [occurrence for occurrence in events_of_kind if has_fact(occurrence, member)]
    if omit([host], [kind], member):
        assert telling == []
    elif events_of_kind or SHARED.exists():
        assert telling != []


def warnings(provider: str | None, when: dict[str, Any], parameters: dict[str, Any] | None = None) -> list[str]:
    """The warnings of a route of one source, without its place before them."""
    members = {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE", **(parameters or {})}
    route: dict[str, Any] = {"when": when, "request": {"operation": "start_job", "parameters": members}}
    sources = (
        {provider: {"provider": provider, "secrets": ["/s"]}} if provider in TITLES and provider != "codecommit" else {}
    )
    if provider is not None:
        route["source"] = "aws.codecommit" if provider == "codecommit" else provider
    value = {"sources": sources, "routes": {"web": route}}
    return [f"{'.'.join(map(str, path[2:]))}: {text}" for path, text, _ in omission_warnings(value)]


def on(kind: str, **conditions: Any) -> dict[str, Any]:
    return {kind: {"repository": "acme/web", **conditions}}


@pytest.mark.parametrize(
    ("provider", "when", "parameters", "expected"),
    [
        ("github", on("push", paths=["a/**"], authors=["*"], messages=["*"]), {"jobReason": "{author} {before}"}, []),
        ("github", on("pull_request", drafts=False, authors=["*"]), {"jobReason": "{ref} {before}"}, []),
        ("bitbucket", on("push", authors=["*"]), {"jobReason": "{author}"}, []),
        (
            "bitbucket",
            on("push", paths=["a/**"]),
            {},
            [
                "when.push.paths: Bitbucket Cloud never tells which files a push changes: "
                "the route builds for any; leave paths out"
            ],
        ),
        ("bitbucket", on("push", tags=["v*"], paths=["a/**"]), {}, []),
        (
            "codecommit",
            on("push", authors=["ada"], messages=["*x*"]),
            {},
            [
                "when.push.authors: CodeCommit never tells the author of a push: "
                "only a pattern like * matches; leave authors out",
                "when.push.messages: CodeCommit never tells the message of a push: "
                "only a pattern like * matches; leave messages out",
            ],
        ),
        ("codecommit", on("pull_request", authors=["ada"], messages=["*x*"]), {}, []),
        (
            "codecommit",
            on("pull_request", drafts=False),
            {},
            [
                "when.pull_request.drafts: CodeCommit never tells whether a pull request is a draft: "
                "none counts as one; leave drafts out"
            ],
        ),
        (
            "bitbucket",
            on("pull_request", actions=["opened", "reopened"]),
            {},
            [
                "when.pull_request.actions: Bitbucket Cloud never tells that a pull request was reopened; "
                "leave reopened out"
            ],
        ),
        # Where messages are sent, they say so.
        ("azure-devops", on("pull_request", actions=["opened", "reopened"]), {}, []),
        ("azure-devops", on("pull_request"), {}, []),
        ("bitbucket", on("release"), {}, ["source: Bitbucket Cloud has no releases; use push with tags"]),
        ("codecommit", on("release"), {}, ["source: CodeCommit has no releases; use push with tags"]),
        (
            "gitea",
            on("pull_request"),
            {"jobReason": "from {before} by {author}"},
            [
                "request.parameters.jobReason: Gitea never tells {before} of a pull request: "
                "it becomes nothing; leave it out"
            ],
        ),
        (
            "codecommit",
            on("push", branches=["main"], tags=["v*"]),
            {"jobReason": "{author}"},
            [
                "request.parameters.jobReason: CodeCommit never tells {author} of a push or tag: "
                "it becomes nothing; leave it out"
            ],
        ),
        (
            "gitlab",
            on("release"),
            {"branchName": "{branch}"},
            [
                "request.parameters.branchName: GitLab never tells {branch} of a release: "
                "it becomes nothing; leave it out"
            ],
        ),
        ("standard", on("push", paths=["a/**"]), {}, []),
        (None, on("push", paths=["a/**"]), {}, []),
        ("bitbucket", {"request": {}}, {"jobReason": "{nothing}"}, []),
    ],
)
def test_routes_check_warns_of_what_the_source_never_tells(
    provider: str | None, when: dict[str, Any], parameters: dict[str, Any], expected: list[str]
) -> None:
    assert sorted(warnings(provider, when, parameters)) == sorted(expected)


def test_a_route_of_any_source_is_warned_of_only_what_none_tells() -> None:
    sources = {name: {"provider": name, "secrets": ["/s"]} for name in ("bitbucket", "azure-devops")}
    request = {"operation": "start_job", "parameters": {"jobReason": "{ref}"}}
    route = {"when": on("push", paths=["a/**"]), "request": request}
    (result,) = omission_warnings({"sources": sources, "routes": {"web": route}})
    assert result[1].startswith("Azure DevOps and Bitbucket Cloud never tell")
    sources["github"] = {"provider": "github", "secrets": ["/s"]}
    assert list(omission_warnings({"sources": sources, "routes": {"web": route}})) == []


@pytest.mark.parametrize(
    "value", [None, [], {}, {"routes": {"web": 1}}, {"sources": 1, "routes": {"web": {"when": {}}}}]
)
def test_what_is_no_routes_file_has_no_warnings(value: Any) -> None:
    assert list(omission_warnings(value)) == []


@pytest.mark.parametrize("host", TITLES)
def test_the_docs_name_the_webhook_events_of_a_host_in_its_words(host: str) -> None:
    title = {"gitea": "Gitea and Forgejo", "forgejo": "Gitea and Forgejo"}.get(host, TITLES[host])
    section = " ".join(DOCUMENT.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0].split())
    names = [name for names in git_host(host).WEBHOOK_EVENTS.values() for name in names]
    assert [name for name in names if f"**{name}**" not in section] == []
    assert ("approval" in git_host(host).WEBHOOK_EVENTS) == (git_host(host).APPROVAL == "comment")
    kinds = (EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST, EventKind.RELEASE)
    if names:
        entries = [kind for kind in kinds if not omit([host], [kind], "repository")]
        assert [kind for kind in kinds if kind in git_host(host).WEBHOOK_EVENTS] == entries
