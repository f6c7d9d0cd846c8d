"""The stand-ins for targets of reports: what they keep, and failures that they were told."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.report_targets import PREFIX, ReportTargets
from local.server.http_server import DropConnectionError


def call(targets: ReportTargets, path: str, content: Any, method: str = "POST") -> Response:
    headers = [("Authorization", "Bearer t0ken"), ("User-Agent", "tests")]
    builder = EnvironBuilder(f"{PREFIX}{path}", method=method, data=json.dumps(content), headers=headers)
    request = Request(builder.get_environ())
    answer = targets.answer(request)
    assert answer is not None
    return answer


def statuses(targets: ReportTargets) -> list[int | None]:
    return [one.status for one in targets.received]


def test_a_stand_in_fails_as_often_as_it_was_told_and_others_do_not() -> None:
    targets = ReportTargets()
    failure = {"name": "chat", "status": 503, "times": 2, "headers": {"retry-after": "7"}}
    assert call(targets, "", failure).status_code == 201
    answers = [call(targets, f"/{name}/x", {}) for name in ("chat", "hook", "chat", "chat")]
    assert [answer.status_code for answer in answers] == [503, 201, 503, 201]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", None, "7", None]
    assert statuses(targets) == [503, 201, 503, 201]


def test_a_failure_can_be_of_a_part_of_the_paths() -> None:
    targets = ReportTargets()
    call(targets, "", {"name": "chat", "status": 503, "path": "/notes"})
    assert [call(targets, f"/chat/{path}", {}).status_code for path in ("x", "7/notes", "7/notes")] == [201, 503, 201]


def test_a_lost_answer_is_that_of_a_call_that_was_done() -> None:
    targets = ReportTargets()
    call(targets, "", {"name": "gitlab"})
    path = f"/gitlab/projects/1/statuses/{'a' * 40}"
    with pytest.raises(DropConnectionError):
        call(targets, path, {"state": "pending"})
    # GitLab has the state already.
    assert call(targets, path, {"state": "pending"}).status_code == 400
    assert statuses(targets) == [None, 400]


def test_failures_end_with_all_calls() -> None:
    targets = ReportTargets()
    call(targets, "", {"name": "chat", "status": 500, "times": 9})
    call(targets, "/chat/x", {})
    assert call(targets, "", {}, method="DELETE").status_code == 204
    assert call(targets, "/chat/x", {}).status_code == 201
    assert statuses(targets) == [201]


def test_an_app_is_registered_by_its_public_key_and_its_calls_are_not_kept() -> None:
    targets, now = ReportTargets(), int(time.time())
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert raw(targets, "/apps/Iv1", pem, method="PUT").status_code == 204
    assert raw(targets, "/apps/Iv2", b"no key", method="PUT").status_code == 400

    def ask_for_token(**changes: Any) -> int:
        claims = {"iss": "Iv1", "iat": now - 60, "exp": now + 540, **changes}
        header: dict[str, Any] = {"alg": "RS256"}
        parts = [encoded(json.dumps(part).encode()) for part in (header, claims)]
        signed = b".".join(parts)
        jwt = b".".join((signed, encoded(key.sign(signed, PKCS1v15(), SHA256())))).decode()
        answer = raw(targets, "/github/app/installations/4711/access_tokens", b"", authorization=f"Bearer {jwt}")
        return answer.status_code

    assert ask_for_token() == 201
    refused = ({"exp": now + 700}, {"iat": now + 30}, {"iat": now - 200, "exp": now + 500}, {"exp": now - 100})
    assert [ask_for_token(**claims) for claims in (*refused, {"iss": "Iv2"}, {"iat": "now"})] == [401] * 6
    assert targets.received == []
    path = f"/github/repos/a/b/statuses/{'a' * 40}"
    body = json.dumps({"state": "pending"}).encode()
    assert raw(targets, path, body, authorization="Bearer ghs_madeup").status_code == 401
    assert raw(targets, path, body, authorization="Bearer ghp_anybody").status_code == 201


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def raw(targets: ReportTargets, path: str, body: bytes, method: str = "POST", authorization: str = "") -> Response:
    builder = EnvironBuilder(
        f"{PREFIX}{path}", method=method, data=body, headers=[("Authorization", authorization), ("User-Agent", "tests")]
    )
    answer = targets.answer(Request(builder.get_environ()))
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("failure", "fault"),
    [
        ({"status": 500}, "name"),
        ({"name": "chat", "status": 99}, "status"),
        ({"name": "chat", "times": 0}, "times"),
        ({"name": "chat", "statsu": 500}, "statsu"),
    ],
)
def test_what_can_not_be_a_failure_is_refused_with_what_is_wrong(failure: dict[str, Any], fault: str) -> None:
    answer = call(ReportTargets(), "", failure)
    assert answer.status_code == 400
    assert fault in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", ["github", "gitea"])
def test_a_comment_is_changed_and_deleted_in_its_own_repository_alone(name: str) -> None:
    targets = ReportTargets()
    result = call(targets, f"/{name}/repos/acme/web/issues/7/comments", {"body": "built"})
    number = result.get_json()["id"]
    for repository, status in (("acme/docs", 404), ("acme", 404), ("acme/web", 200)):
        path = f"/{name}/repos/{repository}/issues/comments/{number}"
        assert call(targets, path, {"body": "x"}, method="PATCH").status_code == status
        assert call(targets, path, None, method="DELETE").status_code == {200: 204}.get(status, status)
