"""What deliveries mean for routes, on every host that sends such: drafts, authors, unknown files, odd refs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from amplify_jobs.errors import InvalidSignatureError
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.webhooks import bitbucket_server
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.routing.routes import Routes
from tests.support.recorded_webhooks import NOW, parse, signed

A, B, C, ZEROS = "a" * 40, "b" * 40, "c" * 40, "0" * 40
PARAMETERS = {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}
REQUEST = {"operation": "start_job", "parameters": PARAMETERS}

Payload = tuple[dict[str, str], dict[str, Any]]


def read(host: str, payload: Payload) -> Delivery:
    headers, body = payload
    return parse(host, headers, json.dumps(body).encode())


def event(host: str, payload: Payload) -> Event:
    (result,) = read(host, payload).events
    return result


def decided(when: dict[str, Any], occurrence: Event) -> Matched | Ignored:
    routes = Routes.model_validate({"routes": {"web": {"when": when, "request": REQUEST}}})
    (decision,) = decide(routes, "host", occurrence)
    return decision


def matches(when: dict[str, Any], occurrence: Event) -> bool:
    return isinstance(decided(when, occurrence), Matched)


def reason(when: dict[str, Any], occurrence: Event) -> str:
    decision = decided(when, occurrence)
    assert isinstance(decision, Ignored)
    return decision.reason


def request_id(when: dict[str, Any], occurrence: Event) -> str:
    decision = decided(when, occurrence)
    assert isinstance(decision, Matched)
    return make_job_request(decision, occurrence, source="host", delivery_id=None, received_at=NOW).request_id


# How each host tells what happened to a pull request. `moment` is opened, pushed, ready (no draft any more), moved (its
# target was `next`) or titled.


def github(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    actions = {"pushed": "synchronize", "ready": "ready_for_review", "moved": "edited", "titled": "edited"}
    pull: dict[str, Any] = {
        "title": "a change",
        "state": "open",
        "user": {"login": author},
        "head": {"ref": "feat", "sha": A, "repo": {"full_name": "acme/web"}},
        "base": {"ref": "main", "repo": {"full_name": "acme/web"}},
    }
    body = {"action": actions.get(moment, moment), "number": 7, "repository": {"full_name": "acme/web"}}
    changes = {"moved": {"base": {"ref": {"from": "next"}}}, "titled": {"title": {"from": "old"}}}
    members = {} if draft is None else {"draft": draft}
    return (
        {"X-GitHub-Event": "pull_request"},
        {**body, "pull_request": {**pull, **members}, "changes": changes.get(moment, {})},
    )


def gitea(moment: str, draft: bool | None, author: str = "ada", *, by_title: bool = False) -> Payload:
    _, body = github(moment, None if by_title else draft, author)
    actions = {"pushed": "synchronized", "ready": "edited"}
    changes = {"moved": {"ref": {"from": "next"}}, "ready": {"title": {"from": "WIP: a change"}}}
    body["action"] = actions.get(moment, body["action"])
    body["changes"] = changes.get(moment, {"title": {"from": "an older title"}} if moment == "titled" else None)
    body["pull_request"]["head"]["label"] = "feat"
    body["pull_request"]["title"] = "[wip] a change" if draft else "a change"
    return {"X-Gitea-Event": "pull_request"}, body


def forgejo(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    return {"X-Forgejo-Event": "pull_request"}, gitea(moment, draft, author, by_title=True)[1]


def gitlab(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    attributes: dict[str, Any] = {
        "iid": 7,
        "action": "open" if moment == "opened" else "update",
        "state": "opened",
        "title": "a change",
        "source_branch": "feat",
        "target_branch": "main",
        "source_project_id": 1,
        "target_project_id": 1,
        "last_commit": {"id": A, "author": {"name": author}},
        "target": {"path_with_namespace": "acme/web"},
    }
    changes = {
        "moved": {"target_branch": {"previous": "next", "current": "main"}},
        "ready": {"draft": {"previous": True, "current": False}, "title": {"previous": "Draft: a change"}},
        "titled": {"title": {"previous": "an older title", "current": "a change"}},
    }
    attributes |= {"oldrev": B} if moment == "pushed" else {}
    attributes |= {} if draft is None else {"draft": draft}
    body = {"object_kind": "merge_request", "object_attributes": attributes, "user": {"name": "Whoever", "id": 2}}
    return {}, {**body, "changes": changes.get(moment, {})}


def older_gitlab(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    """Before GitLab told drafts as such: of a merge request in work the title alone changes."""
    headers, body = gitlab(moment, draft, author)
    body["object_attributes"]["work_in_progress"] = body["object_attributes"].pop("draft", False)
    body["changes"].pop("draft", None)
    return headers, body


def bitbucket(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    side = {"commit": {"hash": A}, "repository": {"full_name": "acme/web"}}
    pull: dict[str, Any] = {
        "id": 7,
        "title": "a change",
        "author": {"display_name": author},
        "source": {**side, "branch": {"name": "feat"}},
        "destination": {**side, "branch": {"name": "main"}},
    }
    pull |= {} if draft is None else {"draft": draft}
    key = "pullrequest:created" if moment == "opened" else "pullrequest:updated"
    return {"X-Event-Key": key}, {"pullrequest": pull, "repository": {"full_name": "acme/web"}}


def bitbucket_data_center(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    repository = {"slug": "web", "project": {"key": "acme"}}
    pull: dict[str, Any] = {
        "id": 7,
        "title": "a change",
        "author": {"user": {"displayName": author}},
        "fromRef": {"id": "refs/heads/feat", "latestCommit": A, "repository": repository},
        "toRef": {"id": "refs/heads/main", "repository": repository},
    }
    pull |= {} if draft is None else {"draft": draft}
    keys = {"opened": "pr:opened", "pushed": "pr:from_ref_updated"}
    body: dict[str, Any] = {"pullRequest": pull}
    if moment not in keys:
        target = "refs/heads/next" if moment == "moved" else "refs/heads/main"
        body |= {"previousTitle": "old", "previousTarget": {"id": target}, "previousDraft": moment == "ready"}
    return {"X-Event-Key": keys.get(moment, "pr:modified")}, body


def azure_devops(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    resource: dict[str, Any] = {
        "repository": {"name": "web", "project": {"name": "acme"}},
        "pullRequestId": 7,
        "status": "active",
        "title": "a change",
        "createdBy": {"displayName": author},
        "sourceRefName": "refs/heads/feat",
        "targetRefName": "refs/heads/main",
        "lastMergeSourceCommit": {"commitId": A},
    }
    resource |= {} if draft is None else {"isDraft": draft}
    kind = "created" if moment == "opened" else "updated"
    return {}, {"eventType": f"git.pullrequest.{kind}", "resource": resource}


def codecommit(moment: str, draft: bool | None, author: str = "ada") -> Payload:
    kinds = {"opened": "pullRequestCreated", "pushed": "pullRequestSourceBranchUpdated"}
    detail = {
        "event": kinds.get(moment, "pullRequestStatusChanged"),
        "repositoryNames": ["web"],
        "pullRequestId": "7",
        "author": f"arn:aws:sts::1:assumed-role/Admin/{author}",
        "sourceReference": "refs/heads/feat",
        "destinationReference": "refs/heads/main",
        "sourceCommit": A,
    }
    envelope = {"source": "aws.codecommit", "detail-type": "CodeCommit Pull Request State Change", "account": "1"}
    arn = "arn:aws:codecommit:eu-west-1:1:web"
    return {}, {**envelope, "region": "eu-west-1", "resources": [arn], "detail": detail}


PULLS: dict[str, tuple[str, Callable[[str, bool | None, str], Payload]]] = {
    "github": ("github", github),
    "gitlab": ("gitlab", gitlab),
    "older gitlab": ("gitlab", older_gitlab),
    "bitbucket": ("bitbucket", bitbucket),
    "bitbucket-server": ("bitbucket-server", bitbucket_data_center),
    "azure-devops": ("azure-devops", azure_devops),
    "gitea": ("gitea", gitea),
    "forgejo": ("forgejo", forgejo),
    "codecommit": ("codecommit", codecommit),
}
# These do not say what an update changed: it counts as new commits.
SAYING_NO_CHANGES = ("bitbucket", "azure-devops")
WITH_DRAFTS = sorted(PULLS.keys() - {"codecommit"})
SAYING_CHANGES = [name for name in WITH_DRAFTS if name not in SAYING_NO_CHANGES]


def pulled(name: str, moment: str, draft: bool | None = False, author: str = "ada") -> Event:
    host, payload = PULLS[name]
    return event(host, payload(moment, draft, author))


def on_pulls(**conditions: Any) -> dict[str, Any]:
    return {"pull_request": {"repository": "**", **conditions}}


class TestDrafts:
    @pytest.mark.parametrize("name", WITH_DRAFTS)
    @pytest.mark.parametrize("moment", ["opened", "pushed"])
    def test_are_left_out_where_the_route_takes_none(self, name: str, moment: str) -> None:
        result = pulled(name, moment, draft=True)
        assert matches(on_pulls(), result)
        assert "is a draft" in reason(on_pulls(drafts=False), result)
        assert matches(on_pulls(drafts=False), pulled(name, moment, draft=False))

    @pytest.mark.parametrize("name", WITH_DRAFTS)
    def test_the_moment_one_becomes_ready_asks_for_a_build(self, name: str) -> None:
        assert matches(on_pulls(drafts=False), pulled(name, "ready"))

    @pytest.mark.parametrize("name", SAYING_CHANGES)
    def test_the_moment_one_becomes_ready_counts_as_opened(self, name: str) -> None:
        ready = pulled(name, "ready")
        assert matches(on_pulls(drafts=False, actions=["opened"]), ready)
        # Who takes drafts too has built it already.
        assert not matches(on_pulls(), ready)
        assert not matches(on_pulls(drafts=False, actions=["closed"]), ready)
        every = on_pulls(drafts=False, actions=["opened", "other"])
        assert request_id(every, ready) != request_id(every, pulled(name, "titled"))

    @pytest.mark.parametrize("name", SAYING_CHANGES)
    def test_another_change_is_none(self, name: str) -> None:
        assert not matches(on_pulls(drafts=False), pulled(name, "titled"))
        assert not matches(on_pulls(drafts=False), pulled(name, "titled", draft=True))

    @pytest.mark.parametrize("name", sorted(PULLS))
    def test_what_is_not_known_to_be_one_is_none(self, name: str) -> None:
        assert matches(on_pulls(drafts=False), pulled(name, "opened", draft=None))

    @pytest.mark.parametrize("name", ["gitlab", "gitea", "forgejo"])
    def test_a_title_that_changes_while_it_is_closed_makes_nothing_ready(self, name: str) -> None:
        host, payload = PULLS[name]
        headers, body = payload("ready", False, "ada")
        body["object_attributes" if name == "gitlab" else "pull_request"]["state"] = "closed"
        assert not matches(on_pulls(drafts=False), event(host, (headers, body)))

    def test_the_action_of_one_that_became_ready_is_opened_in_parameters_too(self) -> None:
        reason = {"jobReason": "{pullRequest.action} at {pullRequest.head}"}
        when = on_pulls(drafts=False)
        request = {"operation": "start_job", "parameters": {**PARAMETERS, **reason}}
        routes = Routes.model_validate({"routes": {"web": {"when": when, "request": request}}})
        ready = pulled("github", "ready")
        (decision,) = decide(routes, "github", ready)
        assert isinstance(decision, Matched)
        result = make_job_request(decision, ready, source="github", delivery_id=None, received_at=NOW)
        assert result.parameters["jobReason"] == f"opened at {A}"


class TestTargets:
    @pytest.mark.parametrize("name", SAYING_CHANGES)
    def test_a_pull_request_that_moves_to_a_target_of_the_route_counts_as_opened(self, name: str) -> None:
        moved = pulled(name, "moved")
        assert moved.pull_request is not None
        assert moved.pull_request.previous_target == "next"
        assert matches(on_pulls(targets=["main"]), moved)
        assert not matches(on_pulls(targets=["next"]), moved)
        # Routes that took it before have built its head already.
        assert not matches(on_pulls(targets=["main", "next"]), moved)
        assert not matches(on_pulls(), moved)

    @pytest.mark.parametrize("name", WITH_DRAFTS)
    def test_a_draft_that_moves_stays_out(self, name: str) -> None:
        assert not matches(on_pulls(targets=["main"], drafts=False), pulled(name, "moved", draft=True))


class TestAuthorsOfPullRequests:
    @pytest.mark.parametrize("name", sorted(PULLS))
    @pytest.mark.parametrize("moment", ["opened", "pushed"])
    def test_are_read_on_every_host(self, name: str, moment: str) -> None:
        bot = pulled(name, moment, author="Renovate Bot")
        assert bot.author == "Renovate Bot"
        assert not matches(on_pulls(authors=["*", "!*renovate*"]), bot)
        assert matches(on_pulls(authors=["renovate*"]), bot)

    def test_of_gitlab_the_user_of_the_event_counts_where_it_is_the_author(self) -> None:
        headers, body = gitlab("opened", draft=False, author="Who committed")
        body["object_attributes"]["author_id"] = body["user"]["id"]
        assert event("gitlab", (headers, body)).author == "Whoever"
        del body["object_attributes"]["last_commit"]["author"], body["object_attributes"]["author_id"]
        assert event("gitlab", (headers, body)).author == "Whoever"


class TestAgit:
    @pytest.mark.parametrize("host", ["gitea", "forgejo"])
    @pytest.mark.parametrize("moment", ["opened", "pushed", "titled"])
    def test_pull_requests_of_no_branch_count_as_from_a_fork(self, host: str, moment: str) -> None:
        headers, body = (gitea if host == "gitea" else forgejo)(moment, False)
        body["pull_request"]["head"] |= {"label": "", "ref": "refs/pull/7/head"}
        result = event(host, (headers, body))
        assert result.pull_request is not None
        assert result.pull_request.from_fork is True
        assert not matches(on_pulls(actions=["opened", "synchronize", "other"]), result)

    @pytest.mark.parametrize(
        ("state", "label", "ref", "from_fork"),
        [
            ("open", "feat", "feat", False),
            # The branch is gone, or it is an older version's way of writing AGit's.
            ("open", "feat", "refs/pull/7/head", None),
            ("closed", "feat", "refs/pull/7/head", False),
            ("closed", "", "refs/pull/7/head", True),
        ],
    )
    def test_a_head_of_no_branch_is_trusted_only_once_it_is_closed(
        self, state: str, label: str, ref: str, from_fork: bool | None
    ) -> None:
        headers, body = gitea("closed", False)
        body["pull_request"] |= {"state": state}
        body["pull_request"]["head"] |= {"label": label, "ref": ref}
        result = event("gitea", (headers, body)).pull_request
        assert result is not None
        assert result.from_fork is from_fork


DOCS = {"id": B, "message": "m", "author": {"name": "Ada"}, "added": [], "removed": [], "modified": ["docs/a.md"]}


def pushed(host: str, before: str, commits: list[dict[str, Any]], **more: Any) -> Event:
    """A push to main as hosts tell it that list files."""
    headers = {"github": "X-GitHub-Event", "gitea": "X-Gitea-Event", "forgejo": "X-Forgejo-Event", "gitlab": "X"}
    body = {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "before": before,
        "after": B,
        "created": before == ZEROS,
        "commits": commits,
        "total_commits": len(commits),
        "total_commits_count": len(commits),
        "head_commit": DOCS,
        "repository": {"full_name": "acme/web"},
        "project": {"path_with_namespace": "acme/web"},
        **more,
    }
    return event(host, ({headers[host]: "push"}, body))


def on_push(**conditions: Any) -> dict[str, Any]:
    return {"push": {"repository": "**", **conditions}}


LISTING_FILES = ["github", "gitlab", "gitea", "forgejo"]


class TestUnknownFiles:
    @pytest.mark.parametrize("host", LISTING_FILES)
    def test_known_files_decide(self, host: str) -> None:
        result = pushed(host, A, [DOCS])
        assert "none of 1 changed files matches" in reason(on_push(paths=["apps/**"]), result)
        assert matches(on_push(paths=["docs/**"]), result)

    @pytest.mark.parametrize("host", LISTING_FILES)
    @pytest.mark.parametrize("commits", [[], [DOCS]])
    def test_a_new_branch_is_built(self, host: str, commits: list[dict[str, Any]]) -> None:
        assert matches(on_push(paths=["apps/**"]), pushed(host, ZEROS, commits))

    @pytest.mark.parametrize("host", LISTING_FILES)
    def test_an_update_that_brings_no_commits_is_built(self, host: str) -> None:
        result = pushed(host, A, [])
        assert matches(on_push(paths=["apps/**"]), result)
        # As answers to webhooks show it, and `explain` reads it.
        assert matches(on_push(paths=["apps/**"]), Event.model_validate(result.for_answer()))

    @pytest.mark.parametrize("host", LISTING_FILES)
    def test_a_commit_without_files_changed_none(self, host: str) -> None:
        empty = {**DOCS, "modified": []}
        assert reason(on_push(paths=["**"]), pushed(host, A, [empty])) == "no file changed"


class TestSkipping:
    @pytest.mark.parametrize("option", [True, "true", "1", {"now": 1}])
    def test_gitlabs_push_option(self, option: Any) -> None:
        result = pushed("gitlab", A, [DOCS], push_options={"ci": {"skip": option}})
        assert reason(on_push(), result) == "the push was made with the option ci.skip"
        tag = pushed("gitlab", A, [], ref="refs/tags/v1", push_options={"ci": {"skip": option}})
        assert not matches(on_push(tags=["v*"]), tag)

    @pytest.mark.parametrize(
        "options", [None, {}, {"ci": None}, {"ci": {"variable": {"A=1": 1}}}, {"ci": {"skip": False}}, []]
    )
    def test_other_push_options_skip_nothing(self, options: Any) -> None:
        assert matches(on_push(), pushed("gitlab", A, [DOCS], push_options=options))


class TestMergeQueues:
    BRANCH = "gh-readonly-queue/main/pr-7-" + A

    @pytest.mark.parametrize(
        ("patterns", "built"),
        [
            (None, False),
            (["**"], False),
            (["*/**"], False),
            (["gh-*/**"], False),
            (["gh-readonly-queue/**"], True),
            (["gh-readonly-queue/main/*"], True),
            (["gh-readonly-queue/**", "**"], True),
            (["**", "gh-readonly-queue/**"], True),
            (["gh-readonly-queue/next/**", "**"], False),
            (["gh-readonly-queue/**", "!gh-readonly-queue/main/**"], False),
            (["gh-readonly-queue/**", "!**/pr-7-*"], False),
        ],
    )
    def test_branches_are_built_only_by_a_pattern_that_names_them(
        self, patterns: list[str] | None, built: bool
    ) -> None:
        result = pushed("github", ZEROS, [DOCS], ref=f"refs/heads/{self.BRANCH}")
        assert matches(on_push(**({"branches": patterns} if patterns else {})), result) is built
        other = pushed("github", ZEROS, [DOCS], ref="refs/heads/my-gh-readonly-queue/x")
        assert matches(on_push(), other)


def several(host: str, refs: list[Any]) -> Delivery:
    """A push of several refs, in the words of the hosts that send such; what is no text stands for a broken change."""
    if host == "bitbucket":
        kinds = {"heads": "branch", "tags": "tag"}
        parts = [ref.split("/", 2) if isinstance(ref, str) else ref for ref in refs]
        changes = [
            {"old": None, "new": {"type": kinds[part[1]], "name": part[2], "target": {"hash": A}}}
            if isinstance(part, list)
            else part
            for part in parts
        ]
        body: dict[str, Any] = {"push": {"changes": changes}, "repository": {"full_name": "acme/web"}}
        return read(host, ({"X-Event-Key": "repo:push"}, body))
    if host == "bitbucket-server":
        changes = [
            {"ref": {"id": ref}, "fromHash": B, "toHash": A, "type": "UPDATE"} if isinstance(ref, str) else ref
            for ref in refs
        ]
        body = {"changes": changes, "repository": {"slug": "web", "project": {"key": "acme"}}}
        return read(host, ({"X-Event-Key": "repo:refs_changed"}, body))
    updates = [{"name": ref, "oldObjectId": B, "newObjectId": A} if isinstance(ref, str) else ref for ref in refs]
    resource = {"refUpdates": updates, "repository": {"name": "web", "project": {"name": "acme"}}}
    return read(host, ({}, {"eventType": "git.push", "resource": resource}))


SENDING_SEVERAL = ["bitbucket", "bitbucket-server", "azure-devops"]


class TestSeveralRefs:
    @pytest.mark.parametrize("host", SENDING_SEVERAL)
    @pytest.mark.parametrize(
        ("odd", "named"),
        [
            ("refs/tags/-v1", "opens with '-'"),
            ("refs/heads/a..b", "git does not allow this name"),
            ("refs/heads/" + "x" * 2000, "more than 1024 characters"),
            ({}, "needs"),
            (None, "needs"),
            ({"old": None, "new": None}, "needs"),
        ],
    )
    @pytest.mark.parametrize("first", [True, False])
    def test_one_that_can_t_be_used_does_not_spoil_the_others(
        self, host: str, odd: Any, named: str, first: bool
    ) -> None:
        result = several(host, [odd, "refs/heads/main"] if first else ["refs/heads/main", odd])
        assert [occurrence.branch for occurrence in result.events] == ["main"]
        assert named in str(result.ignored)

    @pytest.mark.parametrize("host", SENDING_SEVERAL)
    def test_a_branch_called_at_is_one(self, host: str) -> None:
        assert [occurrence.branch for occurrence in several(host, ["refs/heads/@"]).events] == ["@"]

    @pytest.mark.parametrize("host", SENDING_SEVERAL)
    def test_a_push_of_nothing_says_so(self, host: str) -> None:
        result = several(host, [])
        assert (result.events, result.ignored) == ((), "the push lists no branch or tag that it changed")

    @pytest.mark.parametrize("host", SENDING_SEVERAL)
    def test_a_push_of_one_odd_ref_says_why_nothing_happened(self, host: str) -> None:
        result = several(host, ["refs/tags/-v1"])
        assert (result.events, "opens with '-'" in str(result.ignored)) == ((), True)


class TestPingOfBitbucketDataCenter:
    HEADERS = {"X-Event-Key": "diagnostics:ping"}  # noqa: RUF012
    PING = b'{"test": true}'

    @pytest.mark.parametrize("secrets", [["secret"], ["user:password"], ["secret", "user:password"]])
    @pytest.mark.parametrize("body", [PING, b'{"test":true}', b'{ "test" : true }\n'])
    def test_needs_no_signature(self, secrets: list[str], body: bytes) -> None:
        bitbucket_server.verify(self.HEADERS, body, secrets, NOW)
        (result,) = parse("bitbucket-server", self.HEADERS, body).events
        assert result == Event(kind=EventKind.PING)

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ({"X-Event-Key": "repo:refs_changed"}, PING),
            ({"X-Event-Key": "diagnostics:ping,repo:refs_changed"}, PING),
            ({"X-Event-Key": "diagnostics:ping", "x-event-key": "repo:refs_changed"}, PING),
            ({"X-Event-Key": "Diagnostics:Ping"}, PING),
            ({}, PING),
            (HEADERS, b""),
            (HEADERS, b'{"test": true, "changes": []}'),
            (HEADERS, b'{"test": true} {"changes": []}'),
            (HEADERS, b'{"test": false}'),
            ({**HEADERS, "X-Hub-Signature": ""}, PING),
            ({**HEADERS, "X-Hub-Signature": "sha256=" + "0" * 64}, PING),
            ({**HEADERS, "Authorization": "Basic dXNlcjp3cm9uZw=="}, PING),
        ],
    )
    def test_anything_else_that_is_not_signed_is_refused(self, headers: dict[str, str], body: bytes) -> None:
        for secrets in (["secret"], ["user:password"]):
            with pytest.raises(InvalidSignatureError):
                bitbucket_server.verify(headers, body, secrets, NOW)

    def test_a_signed_one_is_verified(self) -> None:
        headers = {**self.HEADERS, **signed("bitbucket-server", "secret", self.PING)}
        bitbucket_server.verify(headers, self.PING, ["secret"], NOW)
        with pytest.raises(InvalidSignatureError):
            bitbucket_server.verify(headers, self.PING, ["other"], NOW)
