"""What is wrong with the content of a routes file: its members, values and names. Pure decisions on plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.parameters import JobType
from amplify_jobs.model.request import LONGEST_MINUTES, MOST_RETRIES, OnTimeout, unsupported_members
from amplify_jobs.routing.placeholders import iter_strings, placeholders_in, values_of
from amplify_jobs.routing.routes import (
    Allow,
    Bus,
    ByName,
    Objects,
    PullRequests,
    Push,
    Releases,
    RequestTemplate,
    Route,
    Routes,
    Source,
    Times,
    When,
)
from amplify_jobs_cli.routes_file.allow import allow_faults
from amplify_jobs_cli.routes_file.expansion import DEFAULTS, MATRIX
from amplify_jobs_cli.routes_file.pattern_faults import pattern_findings
from amplify_jobs_cli.routes_file.values import at, items, member, members
from amplify_jobs_cli.routes_file.yaml_document import Path
from amplify_jobs_cli.suggestions import nearest, one_of

# A place in the file, what is wrong there, and whether its name or its value is.
At = Literal["key", "value"]
Found = tuple[Path, str, At]
Raw = Callable[[Path], str | None]
# An error of pydantic's, where it is in the file, and the model whose member that is.
_Error = tuple[ErrorDetails, Path, type[BaseModel] | None]

_MINUTES = f"a whole number of minutes from 1 to {LONGEST_MINUTES}"
# What is right, by the name of the member.
RIGHT = {
    "version": '"1", or leave it out',
    "sources": "a source for each sender, like github: {provider: github, secrets: [/amplify-jobs/secrets/github]}",
    "provider": f"one of {', '.join(PROVIDERS)}",
    "secrets": "a list of the names of SSM parameters, like [/amplify-jobs/secrets/github]",
    "bus": "{allow: {routes: [web]}}",
    "allow": "{routes: [web]}, or {operations: [start_job], apps: [d1a2b3c4d5e6]}",
    "operations": f"a list of {', '.join(Operation)}",
    "apps": "a list of apps' ids, like [d1a2b3c4d5e6]",
    "routes": "a route for each rule, like web: {when: …, request: …}",
    "enabled": "true or false",
    "source": "the name of one of the sources, like github",
    "when": "{push: {repository: acme/web, branches: [main]}}",
    "push": '{repository: acme/web, branches: [main, "release/*"]}',
    "pull_request": "{repository: acme/web, targets: [main]}",
    "release": "{repository: acme/web}",
    "schedule": '{expression: "cron(0 3 * * ? *)", timezone: Europe/Berlin}',
    "object": "{bucket: artifacts, prefix: web/, suffix: .zip}",
    "repository": "the repository's full name, like acme/web, or a pattern, like acme/*",
    "branches": 'a list of names and patterns, like [main, "release/*"]',
    "tags": 'a list of names and patterns, like ["v*", "!v*-rc*"]',
    "paths": 'a list of paths and patterns, like ["apps/web/**", "!**/*.md"]',
    "authors": 'a list of names and patterns, like ["*", "!*[bot]"]',
    "messages": 'a list of patterns, like ["*[deploy]*"]',
    "actions": f"a list, for pull requests of {', '.join(PullRequestAction)}, for releases like [published]",
    "targets": "a list of names and patterns of the branches to merge into, like [main]",
    "forks": "true or false",
    "drafts": "true or false",
    "expression": 'a schedule, like "cron(0 3 * * ? *)", "rate(12 hours)" or "at(2026-12-31T23:59:00)"',
    "timezone": "the name of a time zone, like Europe/Berlin",
    "bucket": "the name of a bucket, like artifacts",
    "prefix": "the beginning of the object's key, like web/",
    "suffix": "the end of the object's key, like .zip",
    "request": "{operation: start_job, parameters: {appId: …, branchName: …, jobType: RELEASE}}",
    "operation": f"one of {', '.join(Operation)}",
    "parameters": 'the API\'s own names, like {appId: d1a2b3c4d5e6, branchName: "{branch}", jobType: RELEASE}',
    "timeoutMinutes": _MINUTES,
    "startWithinMinutes": _MINUTES,
    "onTimeout": " or ".join(OnTimeout),
    "retry": f"a whole number of new starts from 0 to {MOST_RETRIES}",
    "supersede": "true or false",
    "appId": "the app's id as Amplify shows it: d, then small letters and digits, at most 20, like d1a2b3c4d5e6",
    "branchName": 'the name of a branch of the app, at most 255 characters, or "{branch}"',
    "jobType": f"one of {', '.join(JobType)}",
    "jobId": 'the number of a job, in quotes, like "12"',
    "jobReason": "a text of at most 255 characters",
    "commitId": "a text of at most 255 characters",
    "commitMessage": "a text of at most 10000 characters",
    "commitTime": 'an ISO 8601 time, in quotes, like "2026-01-31T12:00:00Z"',
    "artifact": 'an address in S3, like "s3://{bucket}/{key}"',
    "graphqlSchemaUri": "an address in S3, like s3://artifacts/schema.graphql",
    "sourceUrl": "an address that begins with s3://, https:// or http://",
}
_UNKNOWN_RIGHT = "a value that the operation's API takes"
# The models that hold members, by the place of the members in the file; "*" stands for any name.
_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Routes,
    ("sources", "*"): Source,
    ("routes", "*"): Route,
    ("routes", "*", "when"): When,
    ("routes", "*", "when", "push"): Push,
    ("routes", "*", "when", "pull_request"): PullRequests,
    ("routes", "*", "when", "release"): Releases,
    ("routes", "*", "when", "schedule"): Times,
    ("routes", "*", "when", "object"): Objects,
    ("routes", "*", "when", "request"): ByName,
    ("routes", "*", "request"): RequestTemplate,
    ("sources", "*", "allow"): Allow,
    ("bus",): Bus,
    ("bus", "allow"): Allow,
}
# What the file has beside the members of a model.
_FILE_MEMBERS: dict[type[BaseModel], tuple[str, ...]] = {Routes: (DEFAULTS,), Route: (MATRIX,)}
# What a text with values of an event can become, as far as its form goes.
_SAMPLES = ("d1", "1", "main", "2026-01-31T12:00:00Z")
# pydantic's types of errors about numbers and lengths -> what is wrong.
_LIMITS = {
    "greater_than": "is too low",
    "greater_than_equal": "is too low",
    "less_than": "is too high",
    "less_than_equal": "is too high",
    "too_long": "has too many items",
    "string_too_short": "is empty",
}
_TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_WORKFLOW = "this is a workflow of GitHub Actions, not a routes file; use sources: and routes:, as in docs/routes.md"


def faults_of(value: Any, stack: str, raw: Raw) -> list[Found]:
    """Give every fault of an expanded file once: of several checks of one value, the one that says most speaks.

    `raw` is a scalar as the file writes it, by its path.
    """
    if isinstance(value, dict) and "routes" not in value and value.keys() & {"on", "true", "jobs"}:
        key = next(key for key in ("on", "true", "jobs") if key in value)
        return [((key,), _WORKFLOW, "key")]
    if not isinstance(value, dict):
        what = "the file is empty" if value is None else f"the file holds {_kind(value)}, not an object"
        return [((), f"{what}; use sources: and routes:, as in docs/routes.md", "key")]
    checks = (
        _secret_faults(value, stack),
        _timezone_faults(value),
        _provider_faults(value),
        _repository_faults(value),
        _bucket_faults(value),
        _source_faults(value),
        allow_faults(value),
        pattern_findings(value, "fault"),
        _model_faults(value, raw),
        _parameter_faults(value, raw),
        _stop_faults(value),
        _value_faults(value),
    )
    known: set[Path] = set()
    found: list[Found] = []
    for check in checks:
        new = [(path, text, place) for path, text, place in check if not _covered(path, known)]
        known |= {path for path, _, _ in new}
        found += new
    return found


def _covered(path: Path, known: set[Path]) -> bool:
    """Whether a fault is known of the same value, or of an item in the list that it is."""
    return path in known or (path[-1:] == (0,) and path[:-1] in known)


def _model_faults(value: Any, raw: Raw) -> Iterator[Found]:
    try:
        Routes.model_validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        models: list[_Error] = [
            (details, path, _model_at(path[:-1]))
            for details, path in ((details, _path(details)) for details in _details(error))
        ]
        yield from _explained(models, value, raw)


def _model_at(path: Path) -> type[BaseModel] | None:
    return next((model for place, model in _MODELS.items() if _lies_in(path, place)), None)


def _parameter_faults(value: Any, raw: Raw) -> Iterator[Found]:
    """What the operation's API would refuse, except where a value of the event decides only later."""
    for name, route in members(value, "routes"):
        request = member(route, "request")
        parameters, operation = member(request, "parameters"), member(request, "operation")
        if not isinstance(parameters, dict) or operation not in list(Operation):
            continue
        model = Operation(operation).parameters_model()
        around = ("routes", name, "request", "parameters")
        errors: list[_Error] = [
            (details, (*around, *details["loc"]), model if len(details["loc"]) == 1 else None)
            for details in _parameter_errors(model, parameters)
        ]
        yield from _explained(errors, value, raw)


def _parameter_errors(model: type[BaseModel], parameters: dict[str, Any]) -> list[ErrorDetails]:
    """The errors in parameters; a text with values of an event errs where none of the samples fits in its place."""
    errors = _errors(model, parameters)
    open_texts = [
        details["loc"]
        for details in errors
        if details["type"] != "extra_forbidden" and placeholders_in(_text_at(parameters, details["loc"]))
    ]
    for place in open_texts:
        text = _text_at(parameters, place)
        wrong = [details for details in errors if details["loc"] == place]
        fits = wrong[0]["type"] != "string_pattern_mismatch" or any(
            not any(details["loc"] == place for details in _errors(model, _with(parameters, place, sample)))
            for sample in {re.sub(r"\{[^{}]*\}", sample, text) for sample in _SAMPLES}
        )
        if fits:
            errors = [details for details in errors if details["loc"] != place]
    return errors


def _errors(model: type[BaseModel], parameters: dict[str, Any]) -> list[ErrorDetails]:
    try:
        model.model_validate_json(json.dumps(parameters), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        return _details(error)
    return []


def _with(value: Any, path: tuple[int | str, ...], text: str) -> Any:
    """The value with another text at a path."""
    if not path:
        return text
    copy: Any = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = _with(copy[path[0]], path[1:], text)
    return copy


def _text_at(value: Any, path: tuple[int | str, ...]) -> str:
    text = at(value, path)
    return text if isinstance(text, str) else ""


def _stop_faults(value: Any) -> Iterator[Found]:
    """What a route may not say of operations whose jobs can't be stopped."""
    for name, route in members(value, "routes"):
        operation = member(member(route, "request"), "operation")
        on_timeout = OnTimeout.STOP if member(route, "onTimeout") == OnTimeout.STOP else OnTimeout.LEAVE
        if isinstance(operation, str):
            for key, text in unsupported_members(operation, member(route, "supersede") is True, on_timeout):
                yield ("routes", name, key), text, "key"


def _value_faults(value: Any) -> Iterator[Found]:
    """Values that no event has, or none of the kinds that the route waits for."""
    for name, route in members(value, "routes"):
        kinds = _kinds(member(route, "when"))
        known = values_of(kinds or tuple(EventKind))
        what = " or ".join(kinds).replace("_", " ") or "event"
        parameters = member(member(route, "request"), "parameters")
        for path, text in iter_strings(parameters, ("routes", name, "request", "parameters")):
            unknown = [placeholder for placeholder in placeholders_in(text) if placeholder not in known]
            for placeholder in dict.fromkeys(unknown):
                article = "an" if what[0] in "aeio" else "a"
                if known:
                    yield (
                        path,
                        f"unknown value {placeholder} of {article} {what}; {one_of(placeholder, known)}",
                        "value",
                    )
                else:
                    yield path, f"{article} {what} has no values like {placeholder}; leave it out", "value"


def _kinds(when: Any) -> tuple[EventKind, ...]:
    """The kinds of events that a condition waits for, as far as it is right."""
    try:
        return When.model_validate_json(json.dumps(when), strict=True, by_alias=True, by_name=False).kinds
    except ValidationError:
        return ()


def _source_faults(value: Any) -> Iterator[Found]:
    """Sources that the file does not have."""
    sources = (*(name for name, _ in members(value, "sources")), CODECOMMIT)
    for name, route in members(value, "routes"):
        source = member(route, "source")
        if isinstance(source, str) and source not in sources:
            yield (
                ("routes", name, "source"),
                f"there is no source {_quoted(source)}; {one_of(source, sources)}",
                "value",
            )


def _provider_faults(value: Any) -> Iterator[Found]:
    for name, source in members(value, "sources"):
        provider = member(source, "provider")
        if isinstance(provider, str) and provider and provider not in PROVIDERS:
            path = ("sources", name, "provider")
            yield path, f"unknown provider {_quoted(provider)}; {one_of(provider, PROVIDERS)}", "value"


def _bucket_faults(value: Any) -> Iterator[Found]:
    """Buckets by their addresses, ARNs or host names."""
    for name, route in members(value, "routes"):
        bucket = member(member(member(route, "when"), "object"), "bucket")
        found = (
            re.match(r"(?:s3://|arn:aws[a-z-]*:s3:::)([^/]*)|([^/:]+)\.s3[.-]", bucket)
            if isinstance(bucket, str)
            else None
        )
        if found:
            right = found[1] or found[2] or "artifacts"
            yield (
                ("routes", name, "when", "object", "bucket"),
                f"this is an address, not the bucket's name; use {right}",
                "value",
            )


def _repository_faults(value: Any) -> Iterator[Found]:
    """Repositories by their addresses, and those whose name only CodeCommit could know."""
    for name, route in members(value, "routes"):
        for kind, condition in members(route, "when"):
            repository = member(condition, "repository")
            path = ("routes", name, "when", kind, "repository")
            if not isinstance(repository, str) or not repository:
                continue
            right = _full_name(repository)
            if right != repository:
                right = right if "/" in right else RIGHT["repository"]
                yield path, f"this is an address or a path, not the repository's full name; use {right}", "value"
            elif member(route, "source") != CODECOMMIT and not ("/" in repository or "**" in repository):
                right = f"{RIGHT['repository']}; CodeCommit's names need source: {CODECOMMIT} in the route"
                yield path, f"{_quoted(repository)} lacks the owner; use {right}", "value"


_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com", "gitea.com")


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


def _timezone_faults(value: Any) -> Iterator[Found]:
    known = _timezones()
    for name, route in members(value, "routes"):
        timezone = member(member(member(route, "when"), "schedule"), "timezone")
        # Without the system's data on time zones Scheduler is left to judge.
        if isinstance(timezone, str) and timezone and known and timezone not in known:
            right = _nearest_timezone(timezone, known) or "a name like Europe/Berlin"
            path = ("routes", name, "when", "schedule", "timezone")
            yield path, f"unknown time zone {_quoted(timezone)}; use {right}", "value"


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _nearest_timezone(name: str, known: frozenset[str]) -> str | None:
    cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known, reverse=True) if "/" in zone}
    return cities.get(re.sub(r"[\s-]+", "_", name.strip()).lower()) or nearest(name, sorted(known))


def _secret_faults(value: Any, stack: str) -> Iterator[Found]:
    """Secrets that the stack can't read, and what is no name: it may be the secret itself, and is not repeated."""
    for name, source in members(value, "sources"):
        secrets = member(source, "secrets")
        right = f"/{stack}/secrets/{name}"
        for index, secret in items(secrets):
            if secret.startswith(f"/{stack}/secrets/"):
                continue
            path: Path = ("sources", name, "secrets", *index)
            if re.fullmatch(r"/[A-Za-z0-9_.-]{1,64}/secrets(/[A-Za-z0-9_.-]{1,64})+", secret):
                yield path, f"{secret} is not for stack {stack} to read; use {right}", "value"
            else:
                wrong = "this is not the name of an SSM parameter that the stack can read"
                yield path, f"{wrong}; put the secret into SSM, and write its name here, like {right}", "value"


def _path(details: ErrorDetails) -> Path:
    return tuple(part for part in details["loc"] if part != "[key]")


def _details(error: ValidationError) -> list[ErrorDetails]:
    """The errors, without those that only follow from others in pydantic's way of validating."""
    return [
        details
        for details in error.errors(include_url=False)
        if details["type"] != "default_factory_not_called"
        # Of a list with broken items pydantic says that it is too short as well.
        and (details["type"] != "too_short" or not details["input"])
    ]


def _explained(errors: list[_Error], value: Any, raw: Raw) -> Iterator[Found]:
    """Say what is wrong; a member that is missing because its name is misspelled is one fault, not two."""
    missing = {path for details, path, _ in errors if details["type"] == "missing"}
    renamed: set[Path] = set()
    for details, path, model in errors:
        if details["type"] == "extra_forbidden":
            text, right = _unknown_member(path, model, missing, value)
            renamed |= {(*path[:-1], right)} if right else set()
            yield path, text, "key"
    for details, path, _ in errors:
        if details["type"] == "extra_forbidden" or path in renamed:
            continue
        if len(path) < len(details["loc"]) and "[key]" in details["loc"]:
            right = re.sub(r"[^a-z0-9]+", "-", str(path[-1]).lower()).strip("-")[:40].strip("-") or "web"
            rule = "small letters, digits and single hyphens, at most 40 characters"
            yield path, f"is not a usable name; use {rule}, like {right}", "key"
        else:
            yield path, _wrong(details, path, at(value, path), raw), "value"


def _unknown_member(
    path: Path, model: type[BaseModel] | None, missing: set[Path], value: Any
) -> tuple[str, str | None]:
    """What to say of a member that is not known, and the missing member that it stands for."""
    name = str(path[-1])
    known = _members_of(model) if model else []
    present = at(value, path[:-1])
    absent = [candidate for candidate in known if not isinstance(present, dict) or candidate not in present]
    wanted = [candidate for candidate in absent if (*path[:-1], candidate) in missing]
    right = nearest(name, wanted) or nearest(name, absent) or nearest(name, known)
    if right:
        return f"unknown member {name}; use {right}", right if right in wanted else None
    elsewhere = [place for place, other in _MODELS.items() if name in _members_of(other) and place]
    if elsewhere and model is not None:
        owner = next((part for part in reversed(elsewhere[0]) if part != "*"), "")
        home = "the route itself" if elsewhere[0] == ("routes", "*") else owner
        return f"unknown member {name}; it is a member of {home}, write it there", None
    if not known:
        return f"unknown member {name}; leave it out", None
    return f"unknown member {name}; use one of {', '.join(known)}", None


def _members_of(model: type[BaseModel]) -> list[str]:
    known = [field.alias or name for name, field in model.model_fields.items() if name != "version"]
    return [*known, *_FILE_MEMBERS.get(model, ())]


def _wrong(details: ErrorDetails, path: Path, value: Any, raw: Raw) -> str:
    kind = details["type"]
    right = next((RIGHT[part] for part in reversed(path) if isinstance(part, str) and part in RIGHT), _UNKNOWN_RIGHT)
    if kind == "value_error":
        return details["msg"].removeprefix("Value error, ")
    if kind == "missing":
        return f"is missing; use {right}"
    if kind in ("literal_error", "enum"):
        known = re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
        return f"unknown value {_shown(value)}; {one_of(str(value), known)}" if known else f"is not right; use {right}"
    if value is None or value in ("", [], {}):
        return f"is empty; use {right}"
    if kind in _TYPES:
        return _wrong_type(kind, value, raw(path), right)
    if kind in _LIMITS:
        return f"{_shown(value)} {_LIMITS[kind]}; use {right}"
    if kind == "string_too_long":
        return f"has more than {details.get('ctx', {}).get('max_length')} characters; use {right}"
    return f"{_shown(value)} has the wrong form; use {right}"


def _wrong_type(kind: str, value: Any, raw: str | None, right: str) -> str:
    """What to say of a value of another type: often only its quotes are wrong."""
    wanted = _TYPES[kind]
    if kind == "string_type" and raw is not None:
        return f'YAML reads {raw} as {_kind(value)}; put it in quotes, "{raw}"'
    if isinstance(value, bool | int | float):
        return f"{_shown(value)} is not {wanted}; use {right}"
    if kind.startswith("int_") and isinstance(value, str) and value.isdecimal():
        return f"{_shown(value)} is a text, not {wanted}; remove the quotes, and use {right}"
    if kind.startswith("bool_") and isinstance(value, str) and value.lower() in ("true", "false"):
        return f"{_shown(value)} is a text, not {wanted}; remove the quotes, and use {value.lower()}"
    return f"{_shown(value)} is {_kind(value)}, not {wanted}; use {right}"


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "an object"


def _shown(value: Any) -> str:
    """A value of the file in a message: only texts and numbers, and not more of them than tells which it is."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)[:40]
        case str():
            return _quoted(value)
    return "this"


def _quoted(text: str) -> str:
    short = " ".join(text.split())
    return f"'{short[:59]}…'" if len(short) > 60 else f"'{short}'"


def _lies_in(path: Path, place: tuple[str, ...]) -> bool:
    return len(path) == len(place) and all(expected in ("*", part) for part, expected in zip(path, place, strict=True))
