"""Calls that change nothing and tell whether a target works: which there are for each target.

What an answer means for a report is decided by the functions that judge the answers to reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from amplify_jobs.reporting.call import USER_AGENT, Answer, AwsCall, Call, Verdict, judge_by_status
from amplify_jobs.reporting.checking import details
from amplify_jobs.reporting.destination import Credentials, Destination, token_of
from amplify_jobs.reporting.github_app import app_call, app_token, installation_call, judge_app
from amplify_jobs.reporting.hosts import bearer_or_basic, bitbucket, github, gitlab
from amplify_jobs.reporting.kinds import codecommit_comment
from amplify_jobs.routing.report_targets import (
    AmazonQ,
    ChatWebhook,
    CodeCommitComment,
    RepositoryTarget,
    SlackBot,
    Webhook,
)


@dataclass(frozen=True)
class Question:
    """A target with its secrets, repositories that it may be asked to report to, and seconds since 1970."""

    destination: Destination
    credentials: Credentials
    repositories: Sequence[str]
    now: float


@dataclass(frozen=True)
class Probe:
    """A call that changes nothing; `subject` is what it asks for.

    `judge` judges an answer that is none of reports. With `any_answer` the host only has to be there.
    """

    check: str
    subject: str
    call: Call | AwsCall
    detail: details.Detail | None = None
    judge: Callable[[Answer, float], Verdict] | None = None
    any_answer: bool = False


def probes(question: Question) -> Iterator[Probe]:
    """The calls that tell most of a target. Raises ValueError for an App's key that is none."""
    target = question.destination.target
    match target:
        case RepositoryTarget():
            api = _api(question.destination, target)
            make = _HOSTS.get(question.destination.provider or "")
            host_probes = list(make(api, target, question)) if make else []
            yield from host_probes or [_reach(api)]
        case SlackBot():
            headers = {"Authorization": f"Bearer {question.credentials[target.token]}"}
            yield Probe("token", "the bot's token", _get(f"{target.api}/auth.test", headers), details.slack_scopes)
        case ChatWebhook(kind="discord"):
            yield Probe("webhook", "the webhook", _get(question.credentials[target.webhook], {}))
        case ChatWebhook():
            yield _reach(question.credentials[target.webhook])
        case Webhook():
            yield _reach(target.url)
        case CodeCommitComment():
            for name in question.repositories:
                call = AwsCall("codecommit", "GetRepository", {"repositoryName": name})
                yield Probe("repository", name, call, judge=codecommit_comment.judge_status)
        case AmazonQ():
            call = AwsCall("sns", "ListSubscriptionsByTopic", {})
            yield Probe("topic", "the stack's topic for chats", call, details.amazon_q_channel, judge_by_status)


def _github(api: str, target: RepositoryTarget, question: Question) -> Iterator[Probe]:
    kind = question.destination.target.kind
    if target.app is not None and target.key is not None:
        jwt, detail = (
            app_token(target.app, question.credentials[target.key], question.now),
            details.app_permission(kind),
        )
        yield Probe("token", f"the App {target.app}", app_call(api, jwt), detail, judge_app)
        for name in question.repositories:
            yield Probe("repository", name, installation_call(api, name, jwt), detail, judge_app)
        return
    headers = github.headers(target, question.credentials)
    yield Probe("token", "the token", _get(f"{api}/user", headers), details.github_scopes(kind))
    for name in question.repositories:
        call = _get(f"{api}/repos/{quote(name, safe='/')}", headers)
        yield Probe("repository", name, call, details.github_repository)


def _gitlab(api: str, target: RepositoryTarget, question: Question) -> Iterator[Probe]:
    headers = {"PRIVATE-TOKEN": token_of(target, question.credentials)}
    yield Probe("token", "the token", _get(f"{api}/personal_access_tokens/self", headers), details.gitlab_token)
    for name in question.repositories:
        call = _get(f"{api}/projects/{quote(name, safe='')}", headers)
        yield Probe("repository", name, call, details.gitlab_role)


def _bitbucket(api: str, target: RepositoryTarget, question: Question) -> Iterator[Probe]:
    # A token of a repository has no user to ask for.
    for name in question.repositories:
        call = _get(f"{api}/repositories/{quote(name, safe='/')}", bearer_or_basic(target, question.credentials))
        yield Probe("repository", name, call, details.bitbucket_scopes)


def _bitbucket_server(api: str, target: RepositoryTarget, question: Question) -> Iterator[Probe]:
    headers = bearer_or_basic(target, question.credentials)
    yield Probe("token", "the token", _get(f"{api}/rest/api/latest/projects?limit=1", headers))
    for name in question.repositories:
        project, _, slug = name.rpartition("/")
        place = f"projects/{quote(project, safe='')}/repos/{quote(slug, safe='')}"
        yield Probe("repository", name, _get(f"{api}/rest/api/latest/{place}", headers))


def _gitea(api: str, target: RepositoryTarget, question: Question) -> Iterator[Probe]:
    # The user of a token needs a scope that statuses do not.
    headers = {"Authorization": f"token {token_of(target, question.credentials)}"}
    for name in question.repositories:
        call = _get(f"{api}/repos/{quote(name, safe='/')}", headers)
        yield Probe("repository", name, call, details.gitea_right)


def _azure_devops(api: str, target: RepositoryTarget, question: Question) -> Iterator[Probe]:
    # Reading a repository needs a scope that statuses do not.
    call = _get(f"{api}/_apis/connectionData?api-version=7.1-preview", bearer_or_basic(target, question.credentials))
    yield Probe("token", "the token", call)


_HOSTS: Mapping[str, Callable[[str, RepositoryTarget, Question], Iterator[Probe]]] = {
    "github": _github,
    "gitlab": _gitlab,
    "bitbucket": _bitbucket,
    "bitbucket-server": _bitbucket_server,
    "gitea": _gitea,
    "forgejo": _gitea,
    "azure-devops": _azure_devops,
}


def _api(destination: Destination, target: RepositoryTarget) -> str:
    public = {"github": github.API, "gitlab": gitlab.API, "bitbucket": bitbucket.API}
    return target.api or public.get(destination.provider or "", "")


def _reach(address: str) -> Probe:
    """Ask the host for its front page: neither path nor query, which may be secrets or start something."""
    parts = urlsplit(address)
    return Probe("host", parts.netloc, _get(f"{parts.scheme}://{parts.netloc}/", {}), any_answer=True)


def _get(url: str, headers: dict[str, str]) -> Call:
    return Call("GET", url, {"Accept": "application/json", "User-Agent": USER_AGENT, **headers}, b"")
