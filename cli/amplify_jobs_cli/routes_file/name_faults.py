"""Faults of names that stand for something outside of the file, or for a source in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from amplify_jobs.events import codecommit
from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.routing.conditions import Push
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.remedies import remedy
from amplify_jobs_cli.routes_file.values import items, member, members
from amplify_jobs_cli.routes_file.wording import quoted
from amplify_jobs_cli.suggestions import nearest, one_of

_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com", "gitea.com")


def name_faults(value: Any, stack: str) -> Iterator[Problem]:
    """Find secrets, time zones, providers, repositories, buckets and sources that there can't be."""
    yield from _secret_faults(value, stack)
    yield from _timezone_faults(value)
    yield from _provider_faults(value)
    yield from _repository_faults(value)
    yield from _bucket_faults(value)
    yield from _source_faults(value)


def _secret_faults(value: Any, stack: str) -> Iterator[Problem]:
    """Secrets that the stack can't read. A text that is no name may be the secret itself: no message repeats it."""
    for name, source in members(value, "sources"):
        right = f"/{stack}/secrets/{name}"
        for index, secret in items(member(source, "secrets")):
            problem = secret_problem(("sources", name, "secrets", *index), secret, stack, right)
            if problem is not None:
                yield problem


def secret_problem(path: Path, secret: str, stack: str, right: str, noun: str = "the secret") -> Problem | None:
    """Say why the stack can't read a secret by its name; `right` is a name that it could, `what` the secret is."""
    if secret.startswith(f"/{stack}/secrets/"):
        return None
    if re.fullmatch(r"/[A-Za-z0-9_.-]{1,64}/secrets(/[A-Za-z0-9_.-]{1,64})+", secret):
        return Problem(path, f"stack {stack} can't read {secret}; use {right}")
    wrong = "this is not the name of an SSM parameter that the stack can read"
    return Problem(path, f"{wrong}; put {noun} into SSM, and write its name here, like {right}")


def _timezone_faults(value: Any) -> Iterator[Problem]:
    zones = _timezones()
    for name, route in members(value, "routes"):
        timezone = member(member(member(route, "when"), "schedule"), "timezone")
        # Without the system's data on time zones Scheduler is left to judge.
        if isinstance(timezone, str) and timezone and zones and timezone not in zones:
            right = _nearest_timezone(timezone, zones) or "a name like Europe/Berlin"
            path = ("routes", name, "when", "schedule", "timezone")
            yield Problem(path, f"unknown time zone {quoted(timezone)}; use {right}")


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _nearest_timezone(name: str, zones: frozenset[str]) -> str | None:
    cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(zones, reverse=True) if "/" in zone}
    return cities.get(re.sub(r"[\s-]+", "_", name.strip()).lower()) or nearest(name, sorted(zones))


def _provider_faults(value: Any) -> Iterator[Problem]:
    for name, source in members(value, "sources"):
        provider = member(source, "provider")
        if isinstance(provider, str) and provider and provider not in PROVIDERS:
            path = ("sources", name, "provider")
            if "codecommit" in provider.lower():
                message = "AWS sends the events of CodeCommit; leave this source out, and use it in routes: source: "
                yield Problem(path, f"{message}{codecommit.SOURCE}")
                continue
            yield Problem(path, f"unknown provider {quoted(provider)}; {one_of(provider, PROVIDERS)}")


def _repository_faults(value: Any) -> Iterator[Problem]:
    """Repositories by their addresses, and those whose name only CodeCommit could know."""
    right = remedy(Push.model_fields["repository"])
    for name, route in members(value, "routes"):
        for kind, condition in members(route, "when"):
            repository = member(condition, "repository")
            path = ("routes", name, "when", kind, "repository")
            if not isinstance(repository, str) or not repository:
                continue
            full_name = _full_name(repository)
            if full_name != repository:
                use = full_name if "/" in full_name else right
                yield Problem(path, f"this is an address or a path, not the repository's full name; use {use}")
            elif member(route, "source") != CODECOMMIT and not ("/" in repository or "**" in repository):
                use = f"{right}; CodeCommit's names need source: {codecommit.SOURCE} in the route"
                yield Problem(path, f"{quoted(repository)} lacks the owner; use {use}")


def _full_name(repository: str) -> str:
    """A repository's full name, without the address, the slashes and the .git around it."""
    repository = repository.strip()
    address = re.match(r"(?:[a-z][a-z0-9+.-]*://[^/]*/|[\w.-]+@[\w.-]+:)", repository, re.IGNORECASE)
    bare = repository[address.end() :] if address else repository
    host = re.match(rf"(?:www\.)?(?:{'|'.join(map(re.escape, _HOSTS))})/", bare, re.IGNORECASE)
    bare = bare[host.end() :] if host else bare
    if address or host:
        bare = re.split(r"[?#]", bare)[0]
        bare = re.split(r"/(?:-/)?(?:tree|blob|commits|pull|pulls|issues|src|merge_requests)/", bare)[0]
    bare = re.sub(r"\.git/?$", "", bare).strip("/")
    return re.sub(r"//+", "/", bare) or ("acme/web" if address or host else repository)


def _bucket_faults(value: Any) -> Iterator[Problem]:
    """Buckets by their addresses, ARNs or host names."""
    for name, route in members(value, "routes"):
        bucket = member(member(member(route, "when"), "object"), "bucket")
        if not isinstance(bucket, str):
            continue
        address = re.match(r"(?:s3://|arn:aws[a-z-]*:s3:::)([^/]*)|([^/:]+)\.s3[.-]", bucket)
        if address:
            right = address[1] or address[2] or "artifacts"
            path = ("routes", name, "when", "object", "bucket")
            yield Problem(path, f"this is an address, not the bucket's name; use {right}")


def _source_faults(value: Any) -> Iterator[Problem]:
    """Sources that the file does not have."""
    sources = (*(name for name, _ in members(value, "sources")), CODECOMMIT)
    for name, route in members(value, "routes"):
        source = member(route, "source")
        if isinstance(source, str) and source not in sources:
            path = ("routes", name, "source")
            yield Problem(path, f"there is no source {quoted(source)}; {one_of(source, sources)}")
