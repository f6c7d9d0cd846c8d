"""A branch or tag whose name can't be used: on every host its delivery is ignored, with the reason, and not refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events.deliveries import Delivery
from tests.support.git_hosts import FORMS, Operation, Render
from tests.support.recorded_webhooks import parse

A, B = "a" * 40, "b" * 40
# One form of each host.
HOSTS: dict[str, Render] = dict(reversed(FORMS.values()))
OPTION, NOT_OF_GIT, LONG = "opens with '-'", "git does not allow this name", "more than 1024 characters"
NAMES = [
    ("-x", OPTION),
    ("--upload-pack=x", OPTION),
    *((name, NOT_OF_GIT) for name in ("a\n", "a..b", "a\\b", "a@{b", "/a")),
    ("a" * 2000, LONG),
]


def assert_ignored(delivery: Delivery, reason: str) -> None:
    assert delivery.events == ()
    assert reason in str(delivery.ignored)
    assert len(str(delivery.ignored)) < 400


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("prefix", ["refs/heads/", "refs/tags/"])
@pytest.mark.parametrize("change", [(B, A), (None, A), (B, None)], ids=["moved", "new", "deleted"])
@pytest.mark.parametrize(("name", "reason"), NAMES)
def test_a_push_of_it_is_ignored(
    host: str, prefix: str, change: tuple[str | None, str | None], name: str, reason: str
) -> None:
    attempt = HOSTS[host](Operation("push", 1, 1, prefix + name, *change), 1)
    assert_ignored(parse(host, attempt.headers, attempt.content), reason)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("deed", ["opened", "updated", "closed"])
@pytest.mark.parametrize(("name", "reason"), NAMES)
def test_a_pull_request_from_it_is_ignored(host: str, deed: str, name: str, reason: str) -> None:
    attempt = HOSTS[host](Operation(deed, 1, 1, before=B, after=A, number=7, merge=1), 1)
    content = attempt.content.replace(b"feat", json.dumps(name)[1:-1].encode())
    assert_ignored(parse(host, attempt.headers, content), reason)


LIKE_GITHUB = [("github", "GitHub"), ("gitea", "Gitea"), ("forgejo", "Forgejo")]


@pytest.mark.parametrize(("host", "header"), LIKE_GITHUB)
@pytest.mark.parametrize("message", [("create", "branch"), ("create", "tag"), ("delete", "branch"), ("delete", "tag")])
@pytest.mark.parametrize(("name", "reason"), NAMES)
def test_the_separate_word_of_it_is_ignored(
    host: str, header: str, message: tuple[str, str], name: str, reason: str
) -> None:
    kind, ref_type = message
    body = {"ref": name, "ref_type": ref_type, "sha": A, "repository": {"full_name": "acme/web"}}
    assert_ignored(parse(host, {f"X-{header}-Event": kind}, json.dumps(body).encode()), reason)


@pytest.mark.parametrize(("host", "header"), [*LIKE_GITHUB, ("gitlab", "Gitlab")])
@pytest.mark.parametrize(("name", "reason"), NAMES)
def test_a_release_of_it_is_ignored(host: str, header: str, name: str, reason: str) -> None:
    def released(**parts: str) -> Delivery:
        body: dict[str, Any] = {
            "action": "published",
            "release": {"tag_name": "v1", "target_commitish": "main", **parts},
            "repository": {"full_name": "acme/web"},
        }
        if host == "gitlab":
            body = {"object_kind": "release", "action": "create", "tag": parts["tag_name"]}
            body["project"] = {"path_with_namespace": "acme/web"}
        return parse(host, {f"X-{header}-Event": "release"}, json.dumps(body).encode())

    assert_ignored(released(tag_name=name), reason)
    if host != "gitlab":
        assert_ignored(released(target_commitish=name), reason)


@pytest.mark.parametrize("host", ["github", "gitlab", "gitea", "forgejo", "codecommit"])
@pytest.mark.parametrize("ref", [None, "", 7, ["refs/heads/main"]])
def test_a_push_that_names_none_is_refused(host: str, ref: Any) -> None:
    attempt = HOSTS[host](Operation("push", 1, 1, "refs/heads/main", B, A), 1)
    content = attempt.body["detail"] if host == "codecommit" else attempt.body
    content["referenceFullName" if host == "codecommit" else "ref"] = ref
    content.pop("referenceName", None)
    with pytest.raises(UnreadableDeliveryError, match="needs ref"):
        parse(host, attempt.headers, attempt.content)
