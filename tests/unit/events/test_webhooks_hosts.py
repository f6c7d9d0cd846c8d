"""What is particular to a host, and what the recorded deliveries do not show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event, EventKind, PullRequestAction, request_id
from tests.support.recorded_webhooks import parse

A, B, C, ZEROS = "a" * 40, "b" * 40, "c" * 40, "0" * 40


def delivery(host: str, payload: dict[str, Any], **headers: str) -> Delivery:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse(host, named, json.dumps(payload).encode())


def event(host: str, payload: dict[str, Any], **headers: str) -> Event:
    (result,) = delivery(host, payload, **headers).events
    return result


class TestOneTag:
    """GitHub and Gitea say twice that a tag was made; only one of the two events is of the kind `tag`."""

    @pytest.mark.parametrize(("host", "name"), [("github", "X_GitHub_Event"), ("gitea", "X_Gitea_Event")])
    def test_create_and_push(self, host: str, name: str) -> None:
        repository = {"full_name": "acme/web"}
        create = {"ref": "v1", "ref_type": "tag", "sha": A, "repository": repository}
        push = {"ref": "refs/tags/v1", "before": ZEROS, "after": A, "repository": repository}
        events = [event(host, create, **{name: "create"}), event(host, push, **{name: "push"})]
        assert [(result.kind, result.tag, result.ref) for result in events] == [
            (EventKind.REF_CREATE, "v1", "refs/tags/v1"),
            (EventKind.TAG, "v1", "refs/tags/v1"),
        ]


class TestGithub:
    def pull_request(self, **changes: Any) -> Event:
        pull = {"head": {"ref": "x", "sha": A, "repo": {"full_name": "acme/web"}}, "base": {"ref": "main"}, **changes}
        payload = {"action": "closed", "number": 7, "pull_request": pull, "repository": {"full_name": "acme/web"}}
        return event("github", payload, X_GitHub_Event="pull_request")

    def test_merged_is_a_flag_of_closed(self) -> None:
        merged = self.pull_request(merged=True).pull_request
        assert merged is not None
        assert (merged.action, merged.host_action) == (PullRequestAction.MERGED, "closed")

    @pytest.mark.parametrize(
        ("repo", "from_fork"),
        [({"full_name": "acme/web"}, False), ({"full_name": "eve/web"}, True), (None, None), ({}, None)],
    )
    def test_whether_it_is_of_a_fork(self, repo: Any, from_fork: bool | None) -> None:
        result = self.pull_request(head={"ref": "x", "sha": A, "repo": repo}).pull_request
        assert result is not None
        assert result.from_fork is from_fork

    def test_a_release_of_a_commit_has_no_branch(self) -> None:
        payload = {"action": "published", "repository": {"full_name": "a/b"}}
        members = {"tag_name": "v1", "target_commitish": A}
        result = event("github", {**payload, "release": members}, X_GitHub_Event="release")
        assert (result.branch, result.commit, result.tag) == (None, A, "v1")
        members["target_commitish"] = "main"
        result = event("github", {**payload, "release": members}, X_GitHub_Event="release")
        assert (result.branch, result.commit) == ("main", None)


class TestGitlab:
    def push(self, **changes: Any) -> dict[str, Any]:
        commit = {"id": B, "message": "m", "added": ["x"], "removed": [], "modified": []}
        project = {"path_with_namespace": "group/sub/web", "web_url": "https://gitlab.example.com/group/sub/web"}
        payload = {"object_kind": "push", "ref": "refs/heads/main", "before": A, "after": B, "project": project}
        return {**payload, "commits": [commit], "total_commits_count": 1, **changes}

    def test_an_annotated_tag_builds_the_commit_behind_it(self) -> None:
        result = event("gitlab", self.push(object_kind="tag_push", ref="refs/tags/v1", after=C, checkout_sha=B))
        assert (result.kind, result.after, result.commit, result.message) == (EventKind.TAG, C, B, "m")

    @pytest.mark.parametrize("total", [2, 21, None, "1"])
    def test_files_are_unknown_unless_all_commits_are_listed(self, total: Any) -> None:
        assert event("gitlab", self.push()).changed_files == ("x",)
        assert event("gitlab", self.push(total_commits_count=total)).changed_files is None

    def test_system_hooks_name_their_kind_otherwise(self) -> None:
        payload = self.push(event_name="push")
        del payload["object_kind"]
        assert event("gitlab", payload).repository == "group/sub/web"

    @pytest.mark.parametrize(
        ("attributes", "action"),
        [
            ({"action": "update", "oldrev": A}, "synchronize"),
            ({"action": "update"}, "other"),
            ({"action": "close"}, "closed"),
            ({"action": "merge"}, "merged"),
            ({"action": "approved"}, "other"),
        ],
    )
    def test_merge_requests(self, attributes: dict[str, Any], action: str) -> None:
        payload = {"object_kind": "merge_request", "project": {"path_with_namespace": "g/p"}}
        result = event("gitlab", {**payload, "object_attributes": {"iid": 3, **attributes}}).pull_request
        assert result is not None
        assert (result.action, result.host_action) == (action, attributes["action"])


class TestSeveralChanges:
    def test_of_bitbucket(self) -> None:
        changes = [
            {"old": None, "new": {"type": "branch", "name": "a/b", "target": {"hash": A}}, "created": True},
            {"old": {"type": "tag", "name": "v1", "target": {"hash": B}}, "new": None, "closed": True},
            {"old": None, "new": {"type": "bookmark", "name": "x", "target": {"hash": C}}},
        ]
        payload = {"push": {"changes": changes}, "repository": {"full_name": "acme/web"}}
        result = delivery("bitbucket", payload, X_Event_Key="repo:push")
        assert [(one.kind, one.branch, one.tag, one.created, one.deleted) for one in result.events] == [
            (EventKind.PUSH, "a/b", None, True, False),
            (EventKind.TAG, None, "v1", False, True),
        ]
        assert "bookmark" in str(result.ignored)

    def test_of_bitbucket_server(self) -> None:
        changes = [
            {"ref": {"id": f"refs/heads/{name}"}, "fromHash": A, "toHash": commit, "type": "UPDATE"}
            for name, commit in (("main", B), ("next", C))
        ]
        repository = {"slug": "web", "project": {"key": "ACME"}}
        payload = {"changes": changes, "repository": repository, "toCommit": {"id": C, "message": "m"}}
        result = delivery("bitbucket-server", payload, X_Event_Key="repo:refs_changed").events
        assert [(one.branch, one.commit) for one in result] == [("main", B), ("next", C)]
        assert len({request_id("r", one) for one in result}) == 2

    def test_of_azure_devops(self) -> None:
        updates = [
            {"name": "refs/heads/main", "oldObjectId": A, "newObjectId": B},
            {"name": "refs/tags/v1", "oldObjectId": ZEROS, "newObjectId": C},
            {"name": "refs/heads/old", "oldObjectId": A, "newObjectId": ZEROS},
            {"name": "refs/notes/x", "oldObjectId": A, "newObjectId": B},
        ]
        repository = {"name": "web", "project": {"name": "Acme Web"}}
        resource = {"refUpdates": updates, "repository": repository, "commits": [{"commitId": B, "comment": "m"}]}
        payload = {"eventType": "git.push", "id": "i", "subscriptionId": "s", "resource": resource}
        result = delivery("azure-devops", payload)
        assert [(one.kind, one.branch or one.tag, one.message, one.deleted) for one in result.events] == [
            (EventKind.PUSH, "main", "m", False),
            (EventKind.TAG, "v1", None, False),
            (EventKind.PUSH, "old", None, True),
        ]
        assert {one.repository for one in result.events} == {"Acme Web/web"}
        assert result.delivery_id == "s:i"


class TestBitbucketServer:
    def test_an_annotated_tag_builds_the_commit_behind_it(self) -> None:
        change = {"ref": {"id": "refs/tags/v1"}, "fromHash": ZEROS, "toHash": C, "type": "ADD"}
        repository = {"slug": "web", "project": {"key": "ACME"}}
        payload = {"changes": [change], "repository": repository, "toCommit": {"id": B, "committerTimestamp": 1000}}
        result = event("bitbucket-server", payload, X_Event_Key="repo:refs_changed")
        assert (result.tag, result.after, result.commit, result.created) == ("v1", C, B, True)
        assert result.commit_time is not None
        assert result.commit_time.timestamp() == 1

    def test_changes_of_comments_are_ignored(self) -> None:
        result = delivery("bitbucket-server", {}, X_Event_Key="pr:comment:edited")
        assert (result.events, "not handled" in str(result.ignored)) == ((), True)


class TestAzureDevops:
    @pytest.mark.parametrize(
        ("kind", "status", "action"),
        [
            ("created", "active", "opened"),
            ("updated", "active", "synchronize"),
            ("updated", "abandoned", "closed"),
            ("updated", "completed", "merged"),
            ("merged", "active", "other"),
            ("merged", "completed", "merged"),
            ("commented", "active", "other"),
        ],
    )
    def test_actions(self, kind: str, status: str, action: str) -> None:
        repository = {"name": "web", "project": {"name": "acme"}}
        resource = {"pullRequestId": 1, "status": status, "repository": repository, "forkSource": {"name": "x"}}
        result = event("azure-devops", {"eventType": f"git.pullrequest.{kind}", "resource": resource}).pull_request
        assert result is not None
        assert (result.action, result.host_action, result.from_fork) == (action, kind, True)


class TestGitea:
    REPOSITORY = {"full_name": "acme/web", "html_url": "https://git.example.com/acme/web"}  # noqa: RUF012

    def test_a_deleted_branch_is_told_by_delete_alone(self) -> None:
        payload = {"ref": "a/b", "ref_type": "branch", "repository": self.REPOSITORY}
        result = event("gitea", payload, X_Gitea_Event="delete")
        assert (result.kind, result.branch, result.deleted, result.commit) == (EventKind.REF_DELETE, "a/b", True, None)

    @pytest.mark.parametrize(
        ("total", "listed", "is_known"), [(1, 1, True), (7, 5, False), (None, 4, True), (None, 5, False)]
    )
    def test_files_are_unknown_unless_all_commits_are_listed(self, total: Any, listed: int, is_known: bool) -> None:
        commit = {"id": B, "added": [], "removed": [], "modified": ["x"]}
        payload = {"ref": "refs/heads/main", "before": A, "after": B, "repository": self.REPOSITORY}
        payload |= {"commits": [commit] * listed} | ({} if total is None else {"total_commits": total})
        assert event("gitea", payload, X_Gitea_Event="push").changed_files == (("x",) if is_known else None)

    def test_a_release(self) -> None:
        members = {"tag_name": "v1", "target_commitish": "main", "name": "One", "published_at": "2026-01-01T00:00:00Z"}
        payload = {"action": "published", "release": members, "repository": self.REPOSITORY}
        result = event("gitea", payload, X_Gitea_Event="release")
        assert result.release is not None
        assert (result.release.action, result.release.tag, result.message) == ("published", "v1", "One")


class TestStandard:
    def test_a_job_request(self) -> None:
        body = {"operation": "start_job", "parameters": {"appId": "d1"}, "requestId": "nightly-7", "timeoutMinutes": 5}
        result = event("standard", body, webhook_id="msg_1")
        assert result.request is not None
        assert (result.kind, result.key, result.request.parameters) == (EventKind.REQUEST, "nightly-7", {"appId": "d1"})

    def test_naming_a_route(self) -> None:
        result = event("standard", {"route": "nightly"}, webhook_id="msg_1")
        assert result.request is not None
        assert (result.request.route, result.key) == ("nightly", "msg_1")
        assert request_id("r", result) != request_id("r", event("standard", {"route": "nightly"}, webhook_id="msg_2"))

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({}, "route, or operation and parameters"),
            ({"test": 1}, "test"),
            ({"operation": "start_job"}, "parameters"),
            ({"route": "nightly", "parameters": {}}, "leave them out"),
            ({"route": "Not a route"}, "route"),
            ({"route": "nightly", "requestId": "A"}, "requestId"),
            ({"operation": "start_job", "parameters": {"appId": "\ud800"}}, "surrogate"),
        ],
    )
    def test_what_is_neither_is_refused_by_name(self, body: dict[str, Any], named: str) -> None:
        with pytest.raises(UnreadableDeliveryError, match=named):
            delivery("standard", body, webhook_id="msg_1")


class TestIdentity:
    def pull_request(self, action: str, head: str, **changes: Any) -> Event:
        pull = {"head": {"ref": "x", "sha": head}, "base": {"ref": "main"}, **changes}
        payload = {"action": action, "number": 7, "pull_request": pull, "repository": {"full_name": "acme/web"}}
        return event("github", payload, X_GitHub_Event="pull_request")

    def test_of_a_pull_request_is_number_action_and_head(self) -> None:
        once = request_id("r", self.pull_request("opened", A, title="one"))
        assert once == request_id("r", self.pull_request("opened", A, title="another"))
        others = [("synchronize", A), ("opened", B), ("labeled", A), ("edited", A)]
        ids = {once, *(request_id("r", self.pull_request(action, head)) for action, head in others)}
        assert len(ids) == 5

    def test_of_a_release_is_tag_action_and_time(self) -> None:
        def published(**release: str) -> str:
            payload = {"action": "published", "release": {"tag_name": "v1", **release}}
            result = event("github", {**payload, "repository": {"full_name": "a/b"}}, X_GitHub_Event="release")
            return request_id("r", result)

        assert published(name="x") == published(name="y")
        assert len({published(), published(tag_name="v2"), published(published_at="2026-01-01T00:00:00Z")}) == 3


class TestEvent:
    @pytest.mark.parametrize(
        ("author", "name"),
        [("Ann Lee <ann@example.com>", "Ann Lee"), ("ann", "ann"), ("<ann@example.com>", None), (None, None)],
    )
    def test_an_authors_name_is_without_the_address(self, author: str | None, name: str | None) -> None:
        assert Event(kind=EventKind.PUSH, author=author).author_name == name

    def test_after_a_push_by_force_no_condition_on_paths_may_rely_on_the_files(self) -> None:
        result = Event(kind=EventKind.PUSH, changed_files=("a",), forced=True)
        assert (result.files_to_match, result.model_copy(update={"forced": False}).files_to_match) == (None, ("a",))
