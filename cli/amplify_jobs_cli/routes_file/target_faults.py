"""Faults of targets of reports: secrets, sources, addresses and routes that there can't be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.routing.report_targets import DEPLOYMENT_HOSTS, STATUS_HOSTS, Target
from amplify_jobs_cli.routes_file.allow_faults import fits
from amplify_jobs_cli.routes_file.name_faults import secret_problem
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.target_addresses import address_fault, api_example, chat_of
from amplify_jobs_cli.routes_file.values import items, member, members
from amplify_jobs_cli.routes_file.wording import quoted
from amplify_jobs_cli.suggestions import one_of

# Members that name a secret -> what the secret is.
_SECRETS = {
    "token": "the token",
    "key": "the App's private key",
    "webhook": "the webhook's address, which is a secret,",
    "secret": "the key",
}
# The kinds of which a git host's token or App is needed.
_OF_REPOSITORIES = {
    kind: frozenset(model.model_fields)
    for model in get_args(get_args(Target)[0])
    if "source" in model.model_fields
    for kind in get_args(model.model_fields["kind"].annotation)
}
_MAIL = ("email", "e-mail", "mail", "sns", "topic")


def target_faults(value: Any, stack: str) -> Iterator[Problem]:
    """Find what is wrong with the targets, beyond what their models refuse."""
    providers = {name: member(source, "provider") for name, source in members(value, "sources")}
    routes = [name for name, _ in members(value, "routes")]
    for name, target in members(value, "reports"):
        path: Path = ("reports", name)
        kind = member(target, "kind")
        if isinstance(kind, str) and kind.lower() in _MAIL:
            message = "mails come from the stack's topic; leave the target out, and subscribe to the topic"
            yield Problem((*path, "kind"), message)
            continue
        yield from _secret_faults(path, target, stack)
        # Another check tells what is wrong with a source that is none.
        if isinstance(target, dict) and isinstance(target.get("source"), str):
            yield from _source_faults(path, target, providers)
        # A member of another name may be the one that is missing; the models tell.
        if (
            isinstance(kind, str)
            and isinstance(target, dict)
            and target.keys() <= _OF_REPOSITORIES.get(kind, frozenset())
        ):
            yield from _authority_faults(path, target, stack, providers.get(str(member(target, "source"))))
        yield from _address_faults(path, target, providers.get(str(member(target, "source"))))
        yield from _route_faults(path, member(target, "when"), routes)


def _secret_faults(path: Path, target: Any, stack: str) -> Iterator[Problem]:
    for key, noun in _SECRETS.items():
        secret = member(target, key)
        if isinstance(secret, str) and secret:
            problem = secret_problem((*path, key), secret, stack, f"/{stack}/secrets/{path[1]}", noun)
            if problem is not None:
                yield problem


def _source_faults(path: Path, target: dict[str, Any], providers: dict[str, Any]) -> Iterator[Problem]:
    """Sources that are not there or take no statuses, and hosts whose address nobody knows."""
    name = target["source"]
    hosts = [source for source, provider in providers.items() if provider in STATUS_HOSTS]
    use = one_of(name, hosts) if hosts else "add the git host under sources"
    if name == CODECOMMIT:
        yield Problem((*path, "source"), "CodeCommit takes comments alone; use kind codecommit_comment without source")
    elif name not in providers:
        yield Problem((*path, "source"), f"there is no source {quoted(name)}; {use}")
    elif providers[name] == "standard":
        message = f"source {name} is of provider standard, which has no commits; {use}"
        yield Problem((*path, "source"), message)
    elif target.get("kind") == "deployment" and providers[name] not in DEPLOYMENT_HOSTS:
        message = f"the host of source {name} takes no deployments; use kind commit_status"
        yield Problem((*path, "kind"), message)
    elif target.get("api") is None and STATUS_HOSTS.get(str(providers[name]), "") is None:
        message = f"is missing; use the address of your host's API, like {api_example(providers[name])}"
        yield Problem((*path, "api"), message)


def _authority_faults(path: Path, target: dict[str, Any], stack: str, provider: Any) -> Iterator[Problem]:
    """Targets of git hosts without a token, or with an App that can't be."""
    token, app, key = (member(target, name) for name in ("token", "app", "key"))
    right = f"/{stack}/secrets/{path[1]}"
    if app is not None and provider != "github" and isinstance(provider, str):
        yield Problem((*path, "app"), f"a host of provider {provider} has no Apps; use token")
    elif app is not None and token is not None:
        yield Problem((*path, "token"), "an App has tokens of its own; leave token out, or app and key")
    elif app is not None and key is None:
        use = f"use the name of the SSM parameter that holds the App's private key, like {right}"
        yield Problem((*path, "key"), f"is missing; {use}")
    elif app is None and key is not None:
        yield Problem((*path, "app"), "is missing; use the client id of the GitHub App whose key this is")
    elif app is None and "token" not in target:
        use = f"use the name of the SSM parameter that holds the token, like {right}"
        yield Problem((*path, "token"), f"is missing; {use}")


def _address_faults(path: Path, target: Any, provider: Any) -> Iterator[Problem]:
    for key in ("api", "url"):
        address = member(target, key)
        if not isinstance(address, str) or not address or (key == "url" and member(target, "kind") != "webhook"):
            continue
        if key == "url" and (chat := chat_of(address)) is not None:
            message = f"this is a webhook of {chat[1]}, and a secret; use kind: {chat[0]}, and put the address into SSM"
            yield Problem((*path, key), message)
        elif fault := address_fault(key, address, provider if isinstance(provider, str) else None):
            yield Problem((*path, key), fault)


def _route_faults(path: Path, when: Any, routes: list[str]) -> Iterator[Problem]:
    for index, pattern in items(member(when, "routes")):
        bare = pattern.removeprefix("!")
        if bare and not any(fits(bare, name) for name in routes):
            use = one_of(bare, routes) if routes else "add it under routes"
            yield Problem((*path, "when", "routes", *index), f"there is no route {quoted(bare)}; {use}")
