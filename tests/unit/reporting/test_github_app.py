"""A GitHub App: its JSON Web Token, tokens of installations, and who gets them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.github_app import app_token, load_private_key
from amplify_jobs.reporting.planning import plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import ReportRetryError, Result, Sender
from amplify_jobs.routing.routes import Routes
from local.report_apps import Apps
from tests.support.announced import finished, started
from tests.support.report_fakes import Notices, Records

APP = "Iv23liAbCdEfGhIjKlMn"
KEY = "/amplify-jobs/secrets/app"
ENTERPRISE = "https://github.example.com/api/v3"
PRIVATE = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
PUBLIC = PRIVATE.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def destination(api: str | None = None) -> Destination:
    target = {"kind": "commit_status", "source": "github", "app": APP, "key": KEY, "api": api}
    sources = {"github": {"provider": "github", "secrets": ["/a/secret"]}}
    return destinations(Routes.model_validate({"sources": sources, "routes": {}, "reports": {"statuses": target}}))[0]


class Secrets:
    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        return [PEM]


@dataclass
class GitHub:
    """GitHub with one App, as the local cloud's stand-in answers for it; `answers` come before its own."""

    now: float = 1_800_000_000.0
    answers: dict[str, list[Answer | ServiceTrouble]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.apps = Apps(clock=lambda: self.now)
        self.apps.register(APP, PUBLIC)
        self.records, self.notices = Records(), Notices()
        self.sender = Sender(
            records=self.records, secrets=Secrets(), http=self, notices=self.notices, clock=lambda: self.now
        )

    def send(self, call: Call | AwsCall) -> Answer:
        assert isinstance(call, Call)
        self.calls.append(call)
        path = urlsplit(call.url).path.removeprefix("/api/v3")
        for ending, answers in self.answers.items():
            if path.endswith(ending) and answers:
                answer = answers.pop(0)
                if isinstance(answer, ServiceTrouble):
                    raise answer
                return answer
        authorization = call.headers["Authorization"]
        result = self.apps.answer(call.method, path, authorization) or self.apps.refusal(authorization)
        status, content = result or (201, {"id": 1})
        return Answer(status, body=json.dumps(content).encode())

    def report(self, report: Report, api: str | None = None) -> Result:
        where = destination(api)
        (planned,) = plan([where], report)
        return self.sender.send(where, planned, report).result

    @property
    def paths(self) -> list[str]:
        """What was called, in the last part of the path."""
        return [urlsplit(call.url).path.rpartition("/")[2][:13] for call in self.calls]


def of_installation(number: int, digit: str | None = None, **members: Any) -> Report:
    cause = commit(digit) if digit else started().cause
    return started(cause=cause.model_copy(update={"installation": number}), **members)


def test_a_token_of_the_installation_is_got_once_and_kept_until_shortly_before_its_end() -> None:
    github = GitHub()
    assert github.report(started()) is Result.SENT
    assert github.report(finished()) is Result.SENT
    assert github.paths == ["installation", "access_tokens", "3f1c9a7be2d04", "3f1c9a7be2d04"]
    assert len({call.headers["Authorization"] for call in github.calls[2:]}) == 1
    github.now += 3_600 - 301
    assert github.report(started(request_id="web-2", cause=commit("a"))) is Result.SENT
    github.now += 2
    assert github.report(started(request_id="web-3", cause=commit("b"))) is Result.SENT
    assert github.paths[4:] == ["aaaaaaaaaaaaa", "access_tokens", "bbbbbbbbbbbbb"]


def commit(digit: str) -> Any:
    return started().cause.model_copy(update={"commit": digit * 40})


def test_the_installation_that_the_delivery_names_spares_a_call() -> None:
    github = GitHub()
    assert github.report(of_installation(4711)) is Result.SENT
    assert github.paths == ["access_tokens", "3f1c9a7be2d04"]


def test_an_installation_of_another_app_is_no_reason_to_give_up() -> None:
    github = GitHub()
    assert github.report(of_installation(99)) is Result.SENT
    assert github.paths == ["access_tokens", "installation", "access_tokens", "3f1c9a7be2d04"]
    assert github.report(of_installation(99, "a", request_id="web-2")) is Result.SENT
    assert github.paths[4:] == ["aaaaaaaaaaaaa"]


def test_each_host_gets_its_own_tokens() -> None:
    github = GitHub()
    github.report(started())
    github.report(started(request_id="web-2", cause=commit("a")), ENTERPRISE)
    assert github.paths.count("access_tokens") == 2
    hosts = [urlsplit(call.url).hostname for call in github.calls]
    tokens = {(host, call.headers["Authorization"]) for host, call in zip(hosts, github.calls, strict=True)}
    for host, token in tokens:
        assert {other for other, one in tokens if one == token and "ghs_" in one} <= {host}
    assert set(hosts) == {"api.github.com", "github.example.com"}


def test_a_token_that_ended_early_is_got_anew_and_one_that_is_new_stops_the_target() -> None:
    github = GitHub()
    github.report(started())
    github.report(finished())
    github.apps.clear()
    github.apps.register(APP, PUBLIC)
    with pytest.raises(ReportRetryError, match="ended early"):
        github.report(started(request_id="web-2", cause=commit("a")))
    assert github.report(started(request_id="web-2", cause=commit("a"))) is Result.SENT
    other = GitHub(answers={"b" * 40: [Answer(401)]})
    assert other.report(started(cause=commit("b"))) is Result.STOPPED


@pytest.mark.parametrize(
    ("ending", "answer", "result", "message"),
    [
        ("installation", Answer(404), Result.REFUSED, None),
        ("installation", Answer(401), Result.STOPPED, "app and key do not belong together"),
        (
            "access_tokens",
            Answer(403, body=b'{"message": "This installation has been suspended"}'),
            Result.REFUSED,
            None,
        ),
        ("access_tokens", Answer(422), Result.REFUSED, None),
    ],
)
def test_what_an_app_is_refused(ending: str, answer: Answer, result: Result, message: str | None) -> None:
    github = GitHub(answers={ending: [answer]})
    assert github.report(started()) is result
    assert [message in text for text in github.notices.told] == [True] if message else github.notices.told == []


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(403, {"retry-after": "90"}, b'{"message": "secondary rate limit"}'), 90),
        (Answer(502), None),
        (Answer(201, body=b'{"token": 7}'), None),
        (Answer(201, body=b'{"token": "ghs_1", "expires_at": "soon"}'), None),
        (Answer(200, body=b"<html>"), None),
        (ServiceTrouble("api.github.com did not answer"), None),
    ],
)
@pytest.mark.parametrize("ending", ["installation", "access_tokens"])
def test_what_is_waited_for(answer: Answer | ServiceTrouble, seconds: float | None, ending: str) -> None:
    github = GitHub(answers={ending: [answer]})
    if ending == "installation" and isinstance(answer, Answer) and b"token" in answer.body:
        answer = Answer(200, body=b'{"id": "4711"}')
        github.answers = {ending: [answer]}
    with pytest.raises(ReportRetryError) as raised:
        github.report(started())
    assert raised.value.after_seconds == seconds
    assert github.report(started()) is Result.SENT


def test_key_and_tokens_are_in_no_message_and_no_representation() -> None:
    github = GitHub(answers={"access_tokens": [Answer(500, body=PEM.encode())]})
    with pytest.raises(ReportRetryError) as raised:
        github.report(started())
    github.report(started())
    app_tokens = github.sender._apps
    shown = f"{raised.value!r} {github.notices.told} {app_tokens._tokens} {app_tokens._installations}"
    assert app_tokens._tokens
    assert "PRIVATE KEY" not in shown
    assert "ghs_" not in shown


def test_the_web_token_is_signed_dated_back_and_short() -> None:
    now = 1_800_000_000.9
    apps = Apps(clock=lambda: now)
    apps.register(APP, PUBLIC)
    jwt = app_token(APP, PEM, now)
    assert apps.answer("GET", "/app", f"Bearer {jwt}") == (200, apps_answer(apps, jwt))
    for changed in (jwt[:-3], f"{jwt}A", jwt.replace(".", "..", 1), app_token("other", PEM, now)):
        assert (apps.answer("GET", "/app", f"Bearer {changed}") or (0,))[0] == 401
    for moved in (-700, 700):
        assert (apps.answer("GET", "/app", f"Bearer {app_token(APP, PEM, now + moved)}") or (0,))[0] == 401


def apps_answer(apps: Apps, jwt: str) -> Any:
    return (apps.answer("GET", "/app", f"Bearer {jwt}") or (0, {}))[1]


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "no key",
        PEM[: len(PEM) // 2],
        PUBLIC.decode(),
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode(),
        PRIVATE.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        ).decode(),
    ],
)
def test_what_is_no_key_is_told_without_it(pem: str) -> None:
    with pytest.raises(ValueError, match="the value is no") as raised:
        load_private_key(pem)
    assert "BEGIN" not in str(raised.value)


def test_a_key_is_read_once() -> None:
    assert load_private_key(PEM) is load_private_key(PEM)
