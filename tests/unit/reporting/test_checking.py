"""Checks of targets: which calls are made, and what their answers are taken for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from amplify_jobs.errors import NotSetUpError, ServiceTrouble
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from amplify_jobs.reporting.checking.checker import Checker
from amplify_jobs.reporting.checking.finding import Finding, Result
from amplify_jobs.reporting.checking.trial import Trial, send_trial
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.routing.routes import Routes
from local.report_apps import Apps
from local.report_reads import read_answer
from tests.support.announced import COMMIT
from tests.unit.reporting.test_github_app import APP, PEM, PUBLIC
from tests.unit.reporting.test_secret_forms import NAME, RIGHT, TARGETS

NOW = 1_800_000_000.0
HOSTS = {
    "github": None,
    "gitlab": None,
    "bitbucket": None,
    "bitbucket-server": "https://git.example.com",
    "gitea": "https://git.example.com/api/v1",
    "forgejo": "https://git.example.com/api/v1",
    "azure-devops": "https://dev.azure.com/acme",
}
BASES = ("/api/v4", "/2.0", "/api/v1", "/acme", "/api")


def destination(kind: str, provider: str = "github", **members: Any) -> Destination:
    target = {"kind": kind, **TARGETS.get(kind, {}), **members}
    if "source" in target:
        target |= {"source": "host", "api": HOSTS[provider]}
    sources = {"host": {"provider": provider, "secrets": ["/amplify-jobs/secrets/host"]}}
    return destinations(Routes.model_validate({"sources": sources, "routes": {}, "reports": {"one": target}}))[0]


@dataclass
class Secrets:
    stored: Mapping[str, str]
    trouble: ServiceTrouble | None = None

    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        if self.trouble is not None:
            raise self.trouble
        if names[0] not in self.stored:
            raise NotSetUpError("no secret is stored")
        return [self.stored[names[0]]]


@dataclass
class Host:
    """The stand-ins of the local cloud; `answers` come before theirs, by the end of a path."""

    name: str = ""
    answers: Mapping[str, Answer | ServiceTrouble] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def send(self, call: Call | AwsCall) -> Answer:
        assert isinstance(call, Call)
        self.calls.append(call)
        path = urlsplit(call.url).path
        for ending, answer in self.answers.items():
            if path.endswith(ending):
                if isinstance(answer, ServiceTrouble):
                    raise answer
                return answer
        base = next((base for base in BASES if path.startswith(f"{base}/")), "")
        has_token = bool({"Authorization", "PRIVATE-TOKEN"} & call.headers.keys())
        result = read_answer(self.name, path.removeprefix(base), has_token=has_token) or (404, {}, {})
        return Answer(result[0], {"content-type": "application/json", **result[2]}, json.dumps(result[1]).encode())


def check(
    where: Destination, host: Host, secret: str | None = None, repository: str | None = "acme/web"
) -> list[Finding]:
    stored = {NAME: RIGHT[where.target.kind] if secret is None else secret}
    checker = Checker(secrets=Secrets(stored), http=host, clock=lambda: NOW)
    return list(checker.check(where, [repository] if repository else []))


def faults(findings: list[Finding]) -> list[str]:
    return [f"{one.check}: {one.message}" for one in findings if one.result is Result.FAULT]


@pytest.mark.parametrize("provider", sorted(HOSTS))
def test_a_token_with_the_right_passes_at_every_host(provider: str) -> None:
    host = Host(provider)
    findings = check(destination("commit_status", provider), host)
    assert [finding.result for finding in findings] == [Result.OK] * len(findings)
    assert len(host.calls) == len(findings) - 1
    assert {call.method for call in host.calls} == {"GET"}
    assert all(RIGHT["commit_status"] not in call.url for call in host.calls)


@pytest.mark.parametrize("provider", sorted(HOSTS))
def test_a_void_token_is_told_and_nothing_more_is_asked(provider: str) -> None:
    host = Host(provider, {"": Answer(401, {"server": "x"})})
    (fault,) = faults(check(destination("commit_status", provider), host))
    assert "HTTP 401" in fault
    assert len(host.calls) == 1


REPOSITORY = "acme/web"


@pytest.mark.parametrize(
    ("provider", "path", "content", "headers", "message"),
    [
        ("github", "/user", {}, {"x-oauth-scopes": "gist, user"}, "right: the token has the scopes gist, user"),
        ("github", REPOSITORY, {"archived": True}, {}, "repository: acme/web: the repository is archived"),
        ("gitlab", "/self", {"scopes": ["read_api"]}, {}, "right: the token has the scopes read_api"),
        (
            "gitlab",
            "acme%2Fweb",
            {"permissions": {"group_access": {"access_level": 20}}},
            {},
            "right: acme/web: the token's user",
        ),
        (
            "gitlab",
            "acme%2Fweb",
            {"permissions": {"group_access": None}},
            {},
            "right: acme/web: the token's user is no Developer",
        ),
        (
            "bitbucket",
            REPOSITORY,
            {},
            {"x-oauth-scopes": "repository"},
            "right: acme/web: the token has the scopes repository",
        ),
        ("gitea", REPOSITORY, {"permissions": {"push": False}}, {}, "right: acme/web: the token's user may not write"),
    ],
)
def test_a_right_that_is_missing_is_told(
    provider: str, path: str, content: Any, headers: dict[str, str], message: str
) -> None:
    answer = Answer(200, {"server": "x", **headers}, json.dumps(content).encode())
    (fault,) = faults(check(destination("commit_status", provider), Host(provider, {path: answer})))
    assert fault.startswith(message)


@pytest.mark.parametrize("provider", ["github", "gitlab", "bitbucket", "bitbucket-server", "gitea"])
def test_a_repository_that_the_token_does_not_see_is_told(provider: str) -> None:
    path = {"gitlab": "acme%2Fweb", "bitbucket-server": "/repos/web"}.get(provider, REPOSITORY)
    (fault,) = faults(check(destination("commit_status", provider), Host(provider, {path: Answer(404, {"a": "b"})})))
    assert fault.startswith("repository: acme/web: HTTP 404")


def test_what_nobody_can_tell_is_no_fault() -> None:
    fine_grained = Host("github", {"/user": Answer(200, {"server": "x"}, b"{}")})
    assert Result.UNKNOWN in {one.result for one in check(destination("commit_status"), fine_grained)}
    limited = Host("github", {"/user": Answer(429, {"retry-after": "60"})})
    findings = check(destination("commit_status"), limited)
    assert faults(findings) == []
    assert Result.UNKNOWN in {one.result for one in findings}
    soon = Host("gitlab", {"/self": Answer(200, {"a": "b"}, b'{"scopes": ["api"], "expires_at": "2027-01-20"}')})
    assert Result.DOUBT in {one.result for one in check(destination("commit_status", "gitlab"), soon)}


@dataclass
class AppHost(Host):
    """GitHub with one App."""

    permissions: Mapping[str, str] | None = None

    def send(self, call: Call | AwsCall) -> Answer:
        assert isinstance(call, Call)
        self.calls.append(call)
        apps = Apps(clock=lambda: NOW)
        apps.register(APP, PUBLIC)
        status, content = apps.answer(call.method, urlsplit(call.url).path, call.headers["Authorization"]) or (404, {})
        if self.permissions is not None:
            content["permissions"] = self.permissions
        return Answer(status, {"server": "x"}, json.dumps(content).encode())


def test_an_app_is_checked_with_its_permissions_and_installation() -> None:
    findings = check(destination("app", app=APP), AppHost(), PEM)
    assert [finding.result for finding in findings] == [Result.OK] * 3
    lacking = check(destination("app", app=APP), AppHost(permissions={"statuses": "read"}), PEM)
    assert faults(lacking) == ["right: the App has no right to write statuses"]
    other = check(destination("app", app="Iv2"), AppHost(), PEM)
    assert ["do not belong together" in fault for fault in faults(other)] == [True]
    assert ["no private key" in fault for fault in faults(check(destination("app"), Host(), "x"))]


@pytest.mark.parametrize("chat", ["slack", "teams", "google_chat", "mattermost", "webhook"])
def test_where_nothing_can_be_read_the_host_alone_is_asked(chat: str) -> None:
    host = Host(answers={"/": Answer(404, {"server": "x"})})
    findings = check(destination(chat), host)
    assert [finding.result for finding in findings] == [Result.OK, Result.OK]
    (call,) = host.calls
    # Neither the path nor the query, which are secrets.
    assert urlsplit(call.url).path == "/"
    assert not urlsplit(call.url).query


def test_chats_that_tell_are_asked() -> None:
    assert faults(check(destination("discord"), Host("discord"))) == []
    assert faults(check(destination("slack_bot"), Host("slack_bot"))) == []
    gone = Host("discord", {"": Answer(404, {"server": "x"})})
    assert faults(check(destination("discord"), gone)) == ["webhook: the webhook: HTTP 404"]
    void = Host("slack_bot", {"auth.test": Answer(200, {"a": "b"}, b'{"ok": false, "error": "token_revoked"}')})
    assert faults(check(destination("slack_bot"), void)) == ["token: the bot's token: token_revoked"]
    narrow = Host("slack_bot", {"auth.test": Answer(200, {"x-oauth-scopes": "users:read"}, b'{"ok": true}')})
    assert faults(check(destination("slack_bot"), narrow)) == ["right: the bot has the scopes users:read"]


@dataclass
class Aws:
    """A service of AWS, which answers the same to each call."""

    answer: Answer
    calls: list[AwsCall] = field(default_factory=list)

    def send(self, call: Call | AwsCall) -> Answer:
        assert isinstance(call, AwsCall)
        self.calls.append(call)
        return self.answer


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"Subscriptions": [{"Endpoint": "https://global.sns-api.chatbot.amazonaws.com"}]}, ["topic ok"]),
        (200, {"Subscriptions": [], "NextToken": "more"}, ["topic ok"]),
        (200, {"Subscriptions": [{"Endpoint": "ops@example.com"}]}, ["topic ok", "channel doubt"]),
        (200, {"Subscriptions": "nonsense"}, ["topic ok", "channel doubt"]),
        (403, {"code": "AuthorizationError", "message": "No."}, ["topic unknown"]),
        (404, {"code": "NotFound", "message": "No."}, ["topic fault"]),
        (429, {"code": "Throttled", "message": "Slowly."}, ["topic unknown"]),
    ],
)
def test_the_topic_for_chats_tells_whether_a_channel_is_connected(
    status: int, body: dict[str, Any], expected: list[str]
) -> None:
    topic = Aws(Answer(status, body=json.dumps(body).encode()))
    checker = Checker(secrets=Secrets({}), http=topic, clock=lambda: NOW)
    findings = list(checker.check(destination("amazon_q"), []))
    assert [f"{finding.check} {finding.result}" for finding in findings] == expected
    assert [call.operation for call in topic.calls] == ["ListSubscriptionsByTopic"]
    assert all(finding.remedy for finding in findings if finding.result is not Result.OK)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"repositoryMetadata": {"repositoryName": "web"}}, "ok"),
        (403, {"code": "AccessDeniedException", "message": "No."}, "unknown"),
        (400, {"code": "RepositoryDoesNotExistException", "message": "No."}, "fault"),
        (429, {"code": "ThrottlingException", "message": "Slowly."}, "unknown"),
    ],
)
def test_a_repository_of_codecommit_is_looked_for(status: int, body: dict[str, Any], expected: str) -> None:
    codecommit = Aws(Answer(status, body=json.dumps(body).encode()))
    checker = Checker(secrets=Secrets({}), http=codecommit, clock=lambda: NOW)
    (finding,) = checker.check(destination("codecommit_comment"), ["web"])
    assert (finding.check, finding.result) == ("repository", expected)


def test_a_host_that_can_not_be_reached_is_told() -> None:
    silent = Host(answers={"": ServiceTrouble("hooks.slack.com did not answer (ConnectTimeoutError)")})
    assert faults(check(destination("slack"), silent)) == ["host: hooks.slack.com did not answer (ConnectTimeoutError)"]
    private = Host(answers={"": Answer(400, body=b"git.example.com is not a public address")})
    assert faults(check(destination("commit_status", "gitea"), private)) == [
        "host: git.example.com is not a public address"
    ]


def test_a_secret_that_is_missing_or_wrong_is_told_with_its_name_and_nothing_is_called() -> None:
    host = Host()
    missing = Checker(secrets=Secrets({}), http=host, clock=lambda: NOW).check(destination("slack"), [])
    (finding,) = list(missing)
    assert (finding.parameter, finding.result) == (NAME, Result.FAULT)
    assert "routes push" in (finding.remedy or "")
    trouble = Secrets({}, ServiceTrouble("SSM can't be asked"))
    (unknown,) = list(Checker(secrets=trouble, http=host, clock=lambda: NOW).check(destination("slack"), []))
    assert unknown.result is Result.UNKNOWN
    (wrong,) = check(destination("slack"), host, "xoxb-1-2")
    assert (wrong.parameter, wrong.result) == (NAME, Result.FAULT)
    assert host.calls == []
    assert wrong.text().startswith(f"fault    secret: {NAME}: the value is not the address")


def trial(where: Destination, host: Host, **members: Any) -> Finding:
    secrets = Secrets({NAME: RIGHT[where.target.kind]})
    return send_trial(Trial(where, NOW, **members), secrets, host, lambda: NOW)


def test_a_test_report_says_that_it_is_one_and_shows_the_answer() -> None:
    host = Host(answers={"": Answer(200, {"a": "b"}, b"ok")})
    sent = trial(destination("slack", when={"outcomes": ["FAILED"]}), host)
    assert (sent.result, sent.message) == (Result.OK, "the test report was accepted (HTTP 200: ok)")
    assert "A test of the target one: no job has run" in host.calls[0].body.decode()
    refused = trial(destination("slack"), Host(answers={"": Answer(400, {"a": "b"}, b"invalid_payload")}))
    assert (refused.result, "HTTP 400: invalid_payload" in refused.message) == (Result.FAULT, True)
    gone = trial(destination("webhook"), Host(answers={"": Answer(410, {"a": "b"})}))
    assert (gone.result, gone.message) == (Result.FAULT, "HTTP 410")
    later = trial(destination("webhook"), Host(answers={"": Answer(503, {"a": "b"}, b"token=abcdefgh1234")}))
    assert (later.result, "abcdefgh1234" in later.message) == (Result.FAULT, False)


def test_a_test_status_needs_a_commit_and_replaces_no_other() -> None:
    host = Host(answers={"": Answer(201, {"a": "b"}, b"{}")})
    where = destination("commit_status", context="ci/{route}")
    assert trial(where, host, repository="acme/web").result is Result.UNKNOWN
    assert host.calls == []
    assert trial(where, host, repository="acme/web", commit=COMMIT).result is Result.OK
    assert json.loads(host.calls[0].body)["context"] == "amplify-jobs/test"
