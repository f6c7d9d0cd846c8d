"""A new event is never taken for a repeat, and a repeat never for a new event, at any host."""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.events.evidence import add_delivery_evidence
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Matched, decide
from amplify_jobs.routing.routes import Routes
from tests.support import git_hosts
from tests.support.git_hosts import FORMS, REFS, REPOSITORIES, Attempt, Operation
from tests.support.recorded_webhooks import NOW, parse

# A pull request that was declined or closed there can't be opened again.
WITHOUT_REOPENING = {"bitbucket", "codecommit"}
# They tell operations apart that fall into one second.
WITHOUT_SECONDS = ["gitlab 19", "gitlab 17", "gitlab 14", "bitbucket"]

# Of two commits, so that what was once comes back soon.
COMMITS = ("a" * 40, "b" * 40)
# A ref and a commit push, None deletes; of a pull request a commit opens or updates it, None closes or reopens it.
STEPS = st.lists(
    st.sampled_from([("", None), *product((*REFS, "pull request"), (*COMMITS, None))]), min_size=20, max_size=40
)


def walk(steps: list[tuple[str, str | None]], *, reopens: bool, second: int) -> list[Operation]:
    """The operations that a repository takes of random steps: those that would change nothing are left out."""
    operations: list[Operation] = []
    heads: dict[str, str | None] = {}
    number, head, is_open, merge = 0, "", False, 0

    def add(deed: str, **members: Any) -> None:
        serial = len(operations)
        operations.append(Operation(deed, serial, serial * second, **members))

    for noun, commit in steps:
        if noun in REFS:
            if heads.get(noun) != commit:
                add("push", ref=noun, before=heads.get(noun), after=commit)
                heads[noun] = commit
        elif noun == "":
            if is_open:
                add("nothing", after=head, number=number, merge=merge)
        elif commit is None and number and (is_open or reopens):
            is_open = not is_open
            merge = len(operations) if is_open else merge
            add("reopened" if is_open else "closed", after=head, number=number, merge=merge)
        elif commit is not None and not is_open:
            number, head, is_open, merge = number + 1, commit, True, len(operations)
            add("opened", after=head, number=number, merge=merge)
        elif commit is not None and commit != head:
            merge = len(operations)
            add("updated", before=head, after=commit, number=number, merge=merge)
            head = commit
    return operations


def matching_operations(operations: list[Operation]) -> list[Operation]:
    """The operations that a route for all pushes, tags and pull requests wants a job of."""
    return [
        operation
        for operation in operations
        if (operation.is_of_ref and operation.after) or operation.deed in {"opened", "updated", "reopened"}
    ]


@cache
def routes(provider: str) -> Routes:
    repository = REPOSITORIES.get(provider, "acme/web")
    request = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}}
    whens = {
        "pushes": {"push": {"repository": repository, "branches": ["**"], "tags": ["**"]}},
        "previews": {"pull_request": {"repository": repository}},
    }
    return Routes.model_validate({"routes": {name: {"when": when, "request": request} for name, when in whens.items()}})


def request_ids(provider: str, attempt: Attempt, name: str) -> list[str]:
    """The ids of the requests that an attempt to deliver makes; `name` is the attempt's own."""
    delivery = add_delivery_evidence(parse(provider, attempt.headers, attempt.content), name)
    return [
        make_job_request(decision, event, source=provider, delivery_id=None, received_at=NOW).request_id
        for event in delivery.events
        for decision in decide(routes(provider), provider, event)
        if isinstance(decision, Matched)
    ]


def deliver(host: str, operations: list[Operation], most_attempts: int, random: Random) -> set[str]:
    """The ids of all requests, each operation delivered up to so often, and all attempts in any order."""
    provider, render = FORMS[host]
    attempts = [
        render(operation, attempt)
        for operation in operations
        for attempt in range(1, random.randint(1, most_attempts) + 1)
    ]
    random.shuffle(attempts)
    return {
        result for number, attempt in enumerate(attempts) for result in request_ids(provider, attempt, f"n{number}")
    }


@pytest.mark.parametrize("host", FORMS)
@settings(max_examples=25)
@given(steps=STEPS, random=st.randoms(use_true_random=False))
def test_there_are_as_many_requests_as_operations(
    host: str, steps: list[tuple[str, str | None]], random: Random
) -> None:
    operations = walk(steps, reopens=host not in WITHOUT_REOPENING, second=1)
    assert len(deliver(host, operations, 3, random)) == len(matching_operations(operations))


@pytest.mark.parametrize("host", WITHOUT_SECONDS)
@settings(max_examples=25)
@given(steps=STEPS, random=st.randoms(use_true_random=False))
def test_ids_tell_operations_of_one_second_apart(
    host: str, steps: list[tuple[str, str | None]], random: Random
) -> None:
    operations = walk(steps, reopens=host not in WITHOUT_REOPENING, second=0)
    assert len(deliver(host, operations, 3, random)) == len(matching_operations(operations))


@settings(max_examples=25)
@given(steps=STEPS)
def test_without_an_id_and_a_time_each_delivery_is_new(steps: list[tuple[str, str | None]]) -> None:
    operations = [operation for operation in walk(steps, reopens=True, second=0) if operation.is_of_ref]
    entries = [
        entries
        for operation in operations
        for entries in request_ids("gitlab", git_hosts.gitlab()(operation, 1), f"delivery {operation.serial}")
    ]
    assert len(set(entries)) == len(entries) == len(matching_operations(operations))


def azure_update(text: str | None, *, merge: str = "m1", head: str = "a" * 40, **members: Any) -> Attempt:
    """An update of an active pull request on Azure DevOps, as the message says it."""
    update = git_hosts.azure_devops(messages=False)(Operation("updated", 1, 1, after=head, number=5), 1)
    resource = {**update.body["resource"], "lastMergeCommit": {"commitId": merge}, "isDraft": False}
    message = {} if text is None else {"message": {"text": text}}
    return Attempt({}, {**update.body, "resource": resource, **message, **members})


@pytest.mark.parametrize(
    ("text", "action", "became_ready"),
    [
        (None, "synchronize", False),
        ("", "synchronize", False),
        ("Ada updated the source branch of pull request 5 (Add x) in web\r\nhttps://…", "synchronize", False),
        ("Ada changed the target branch of pull request 5 (Add x) in web", "synchronize", False),
        ("Ada reactivated pull request 5 (updated the source branch of) in web", "reopened", False),
        ("Ada approved pull request 5 (updated the source branch of pull request 5) in web", "other", False),
        ("Ada changed the reviewer list for pull request 5 (Add x) in web", "other", False),
        ("Ada published the pull request", "other", True),
        ("Ada approved pull request 5 (published the pull request)", "other", False),
        # Of another pull request, or in another language: it may be anything.
        ("Ada approved pull request 55 (Add x) in web", "synchronize", False),
        ("Ada hat Pull Request 5 (Add x) genehmigt", "synchronize", False),
    ],
)
def test_azure_devops_says_in_its_message_what_an_update_was(text: str | None, action: str, became_ready: bool) -> None:
    attempt = azure_update(text)
    (event,) = parse("azure-devops", attempt.headers, attempt.content).events
    assert event.pull_request is not None
    assert (event.pull_request.action, event.pull_request.became_ready) == (action, became_ready)


def gitlab_release(action: str, delivery: str, created: str = "2026-02-01 10:00:00 UTC") -> Attempt:
    body = {"object_kind": "release", "action": action, "tag": "v1", "created_at": created, "released_at": created}
    project = {"path_with_namespace": "acme/web", "web_url": "https://gitlab.example.com/acme/web"}
    return Attempt({"Idempotency-Key": delivery}, {**body, "project": project, "commit": {"id": "a" * 40}})


def release(event_header: str, delivery: tuple[str, str], action: str = "published", **times: str) -> Attempt:
    """A release of GitHub or those made after it."""
    repository = {"full_name": "acme/web", "html_url": "https://git.example.com/acme/web"}
    members = {"tag_name": "v1", "target_commitish": "main", "published_at": "2026-02-01T10:00:00Z", **times}
    headers = {event_header: "release", delivery[0]: delivery[1]}
    return Attempt(headers, {"action": action, "release": members, "repository": repository})


def github_release(delivery: str, action: str = "published", **times: str) -> Attempt:
    return release("X-GitHub-Event", ("X-GitHub-Delivery", delivery), action, **times)


def gitea_release(delivery: str, action: str = "published", **times: str) -> Attempt:
    return release("X-Gitea-Event", ("X-Gitea-Delivery", delivery), action, **times)


EARLY, LATE = "2026-02-01T10:00:00Z", "2026-02-02T10:00:00Z"
CODE_CAME = "Ada updated the source branch of pull request 5 (Add x) in web"
VOTE = azure_update(None, id="event-2", createdDate=LATE)


@pytest.mark.parametrize(
    ("provider", "first", "second", "is_new"),
    [
        ("gitlab", gitlab_release("update", "1"), gitlab_release("update", "2"), True),
        ("gitlab", gitlab_release("create", "1"), gitlab_release("create", "1"), False),
        ("gitlab", gitlab_release("create", "1"), gitlab_release("create", "2", "2026-02-02 10:00:00 UTC"), True),
        ("github", github_release("1", updated_at=EARLY), github_release("2", updated_at=LATE), True),
        ("github", github_release("1", updated_at=EARLY), github_release("2", updated_at=EARLY), False),
        ("github", github_release("1", "edited"), github_release("2", "edited"), True),
        ("github", github_release("1", "edited"), github_release("1", "edited"), False),
        ("gitea", gitea_release("1", "updated"), gitea_release("2", "updated"), True),
        ("gitea", gitea_release("1", "updated"), gitea_release("1", "updated"), False),
        ("azure-devops", azure_update(None), VOTE, False),
        ("azure-devops", azure_update(None), azure_update(None, merge="m2"), True),
        ("azure-devops", azure_update(None), azure_update(None, head="b" * 40), True),
        ("azure-devops", azure_update(CODE_CAME), azure_update(CODE_CAME, createdDate=LATE), True),
        ("azure-devops", azure_update(CODE_CAME), azure_update(CODE_CAME), False),
    ],
)
def test_what_is_new_and_what_is_a_repeat(provider: str, first: Attempt, second: Attempt, is_new: bool) -> None:
    ids = [
        event.digest
        for attempt in (first, second)
        for event in parse(provider, attempt.headers, attempt.content).events
    ]
    assert len(set(ids)) == 1 + is_new
