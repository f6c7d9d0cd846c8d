"""GitHub's deliveries: what is refused, how pushes are read, and what no bytes whatsoever may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amplify_jobs.errors import DeliveryRefusedError, InvalidSignatureError
from amplify_jobs.events.deliveries import LONGEST_DELIVERY_ID, first_id
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.webhooks import PROVIDERS, github
from tests.support.recorded_webhooks import NOW

BODY = b'{"ref":"refs/heads/main"}'


def test_events_that_ask_for_nothing_are_ignored_by_name() -> None:
    delivery = github.parse({"X-GitHub-Event": "issues"}, b"{}")
    assert delivery.events == ()
    assert "event 'issues' is not handled" in str(delivery.ignored)


@pytest.mark.parametrize(
    ("installation", "expected"),
    [(None, None), ({"id": 4711, "node_id": "x"}, 4711), ({"id": "4711"}, None), (7, None)],
)
def test_the_installation_of_an_app_is_known_and_not_answered(installation: Any, expected: int | None) -> None:
    push = {"ref": "refs/heads/main", "repository": {"full_name": "acme/web"}, "after": "a" * 40}
    body = json.dumps({**push, **({} if installation is None else {"installation": installation})}).encode()
    (event,) = github.parse({"X-GitHub-Event": "push"}, body).events
    assert event.installation == expected
    assert "installation" not in event.for_answer()


class TestVerify:
    def test_any_secret_of_the_list_will_do(self) -> None:
        for secret in ("old", "new"):
            github.verify({"X-Hub-Signature-256": github.sign(secret, BODY)}, BODY, ["old", "new"], NOW)

    def test_the_headers_name_may_have_any_case(self) -> None:
        github.verify({"x-HUB-signature-256": github.sign("s", BODY)}, BODY, ["s"], NOW)

    @pytest.mark.parametrize(
        ("headers", "secrets"),
        [
            pytest.param({}, ["s"], id="missing"),
            pytest.param({"X-Hub-Signature": github.sign("s", BODY)}, ["s"], id="the sha1 header"),
            pytest.param({"X-Hub-Signature-256": github.sign("s", BODY)}, [], id="no secret"),
            pytest.param({"X-Hub-Signature-256": github.sign("", BODY)}, [""], id="empty secret"),
            pytest.param({"X-Hub-Signature-256": "sha256="}, ["s"], id="empty signature"),
            pytest.param({"X-Hub-Signature-256": github.sign("s", BODY).upper()}, ["s"], id="upper case"),
            pytest.param({"X-Hub-Signature-256": " " + github.sign("s", BODY)}, ["s"], id="a blank before"),
            pytest.param({"X-Hub-Signature-256": github.sign("s", BODY) + "\n"}, ["s"], id="a line end after"),
            pytest.param({"X-Hub-Signature-256": "sha1=" + "a" * 64}, ["s"], id="another algorithm"),
            pytest.param({"X-Hub-Signature-256": "sha256=" + "٣" * 64}, ["s"], id="digits of another script"),
            pytest.param(
                {"X-Hub-Signature-256": github.sign("s", BODY), "x-hub-signature-256": github.sign("s", BODY)},
                ["s"],
                id="twice",
            ),
        ],
    )
    def test_refused(self, headers: dict[str, str], secrets: list[str]) -> None:
        with pytest.raises(InvalidSignatureError) as refusal:
            github.verify(headers, BODY, secrets, NOW)
        assert refusal.value.status == 401

    @given(st.dictionaries(st.sampled_from(["X-Hub-Signature-256", "x-hub-signature-256"]), st.text()), st.binary())
    @example({"X-Hub-Signature-256": "sha256=" + "\ud800" * 64}, b"")
    def test_nothing_but_the_right_signature_passes(self, headers: dict[str, str], body: bytes) -> None:
        with pytest.raises(InvalidSignatureError):
            github.verify(headers, body, ["a secret that hypothesis does not guess"], NOW)

    @given(st.text(min_size=1), st.binary(), st.binary())
    def test_a_signature_fits_its_body_alone(self, secret: str, body: bytes, other: bytes) -> None:
        headers = {"X-Hub-Signature-256": github.sign(secret, body)}
        github.verify(headers, body, [secret], NOW)
        if other != body:
            with pytest.raises(InvalidSignatureError):
                github.verify(headers, other, [secret], NOW)


def push(**changes: Any) -> dict[str, Any]:
    commit = {"id": "b" * 40, "message": "m", "added": ["b"], "removed": ["a"], "modified": ["c", "a"]}
    return {
        "ref": "refs/heads/main",
        "before": "a" * 40,
        "after": "b" * 40,
        "repository": {"full_name": "acme/web"},
        "commits": [commit],
        "head_commit": commit,
        **changes,
    }


def parsed(payload: dict[str, Any]) -> Event:
    (event,) = github.parse({"X-GitHub-Event": "push"}, json.dumps(payload).encode()).events
    return event


class TestPush:
    def test_of_an_annotated_tag_builds_the_commit_behind_it(self) -> None:
        event = parsed(push(ref="refs/tags/v1", after="c" * 40))
        assert (event.kind, event.tag, event.branch) == (EventKind.TAG, "v1", None)
        assert (event.after, event.commit) == ("c" * 40, "b" * 40)

    @pytest.mark.parametrize("digits", [40, 64])
    def test_the_all_zero_name_is_none(self, digits: int) -> None:
        created = parsed(push(before="0" * digits))
        assert (created.before, created.created) == (None, True)
        deleted = parsed(push(after="0" * digits))
        assert (deleted.after, deleted.commit, deleted.deleted, deleted.message) == (None, None, True, None)
        assert deleted.changed_files is None

    @pytest.mark.parametrize("branch", ["a/b/c", "refs/heads/main", "heads/x", "ü", "c++", "v1.0", "a" * 244])
    def test_branch_names_keep_all_but_the_prefix(self, branch: str) -> None:
        assert parsed(push(ref=f"refs/heads/{branch}")).branch == branch

    def test_changed_files_are_those_of_all_commits(self) -> None:
        other = {"added": [], "removed": [], "modified": ["z"]}
        assert parsed(push(commits=[*push()["commits"], other])).changed_files == ("a", "b", "c", "z")

    @pytest.mark.parametrize(
        "commits",
        [
            pytest.param(None, id="absent"),
            pytest.param([{"added": [], "removed": []}], id="a list is absent"),
            pytest.param([{"added": [], "removed": [], "modified": []}] * 2048, id="cut at 2,048 commits"),
            pytest.param(
                [{"added": list(map(str, range(3000))), "removed": [], "modified": []}], id="cut at 3,000 files"
            ),
            pytest.param(["nonsense"], id="no commits"),
        ],
    )
    def test_changed_files_are_unknown_when_the_list_may_be_cut_short(self, commits: Any) -> None:
        assert parsed(push(commits=commits)).changed_files is None

    def test_half_a_character_becomes_a_replacement(self) -> None:
        commit = {**push()["head_commit"], "message": "cut \ud83d"}
        assert parsed(push(head_commit=commit)).message == "cut \ufffd"

    @pytest.mark.parametrize("timestamp", [None, "", "yesterday", "2026-01-31", "2026-01-31T12:00:00", 7])
    def test_a_time_that_is_none_is_left_out(self, timestamp: Any) -> None:
        assert parsed(push(head_commit={"timestamp": timestamp})).commit_time is None

    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("https://github.example.com:8443/a/b", "github.example.com"),
            ("https://[broken", None),
            (None, None),
            (7, None),
        ],
    )
    def test_the_host_is_the_repositorys(self, url: Any, host: str | None) -> None:
        assert parsed(push(repository={"full_name": "acme/web", "html_url": url})).host == host


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
HEADERS = ["X-GitHub-Event", "X-GitHub-Delivery", "Content-Type"]
KEYS = ["ref", "before", "after", "created", "deleted", "forced", "commits", "head_commit", "repository"]


def understood_or_refused(headers: dict[str, str], body: bytes) -> None:
    try:
        delivery = github.parse(headers, body)
    except DeliveryRefusedError:
        return
    for event in delivery.events:
        json.dumps(event.for_answer(), ensure_ascii=False).encode()
    assert delivery.events or delivery.ignored


class TestNoBytesWhatsoever:
    @given(
        st.dictionaries(st.sampled_from(["X-GitHub-Event", "X-GitHub-Delivery", "Content-Type"]), st.text()),
        st.binary(),
    )
    @example({"X-GitHub-Event": "push"}, b"[" * 100_000)
    @example({"X-GitHub-Event": "push"}, b'{"a":' * 41 + b"1" + b"}" * 41)
    @example({"X-GitHub-Event": "push"}, b'{"a": 1e999}')
    @example({"X-GitHub-Event": "push"}, b'{"a": ' + b"9" * 5000 + b"}")
    @example({"X-GitHub-Event": "\ud800"}, b"{}")
    @example({"Content-Type": "application/x-www-form-urlencoded"}, b"payload=%ff")
    @example({"Content-Type": "application/x-www-form-urlencoded"}, b"&".join([b"a=b"] * 100))
    def test_in_headers_and_body(self, headers: dict[str, str], body: bytes) -> None:
        understood_or_refused(headers, body)
        assert len(first_id(headers, PROVIDERS["github"].id_headers) or "") <= LONGEST_DELIVERY_ID

    @given(st.dictionaries(st.sampled_from(KEYS), JSON))
    def test_in_a_push_with_members_retyped(self, changes: dict[str, Any]) -> None:
        understood_or_refused({"X-GitHub-Event": "push"}, json.dumps(push(**changes)).encode())

    @given(st.text())
    def test_in_a_ref(self, name: str) -> None:
        understood_or_refused({"X-GitHub-Event": "push"}, json.dumps(push(ref=f"refs/heads/{name}")).encode())

    @given(st.data())
    def test_in_a_recorded_push_that_was_cut_or_overwritten(self, data: st.DataObject) -> None:
        body = bytearray(json.dumps(push()).encode())
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        understood_or_refused({"X-GitHub-Event": "push"}, bytes(body))
