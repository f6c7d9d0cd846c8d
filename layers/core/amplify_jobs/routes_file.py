"""Reading routes.yaml for the command line: all faults at once, each with its place and what would be right."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from amplify_jobs.errors import InvalidRoutes
from amplify_jobs.events import EventKind, PullRequestAction
from amplify_jobs.operations import not_for, parameters_model
from amplify_jobs.requests import LONGEST_MINUTES, MOST_RETRIES, JobType, OnTimeout, Operation
from amplify_jobs.routes import (
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
from amplify_jobs.routes_expansion import DEFAULTS, MATRIX, Fault, Path, expand
from amplify_jobs.values import named, texts, values_of
from amplify_jobs.webhooks import PROVIDERS
from amplify_jobs.webhooks.codecommit import SOURCE as CODECOMMIT

_NAME = "a name of small letters, digits and single hyphens, at most 40 characters, like web"
_MINUTES = f"a whole number of minutes from 1 to {LONGEST_MINUTES}"
# What would be right, by the name of the field.
_RIGHT = {
    "version": '"1", or leave it out',
    "sources": "a source for each sender, like github: {provider: github, secrets: [/amplify-jobs/secrets/github]}",
    "provider": f"one of {', '.join(PROVIDERS)}",
    "secrets": "a list of the names of SSM parameters, like [/amplify-jobs/secrets/github]",
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
    "expression": 'a schedule, like "cron(0 3 * * ? *)", "rate(12 hours)" or "at(2026-12-31T23:59:00)"',
    "timezone": "the name of a time zone, like Europe/Berlin",
    "bucket": "the name of a bucket",
    "prefix": "the beginning of the object's key, like web/",
    "suffix": "the end of the object's key, like .zip",
    "request": "{operation: start_job, parameters: {appId: …, branchName: …, jobType: RELEASE}}",
    "operation": f"one of {', '.join(Operation)}",
    "parameters": 'the API\'s own names, like {appId: d1a2b3c4d5e6, branchName: "{branch}", jobType: RELEASE}',
    "timeoutMinutes": _MINUTES,
    "startWithinMinutes": _MINUTES,
    "onTimeout": " or ".join(OnTimeout),
    "retry": f"how often to start a failed job again, from 0 to {MOST_RETRIES}",
    "supersede": "true or false",
    "appId": "the app's id as Amplify shows it: d, then small letters and digits, at most 20, like d1a2b3c4d5e6",
    "branchName": 'the name of a branch of the app, at most 255 characters, or "{branch}"',
    "jobType": f"one of {', '.join(JobType)}",
    "jobId": 'the number of a job, in quotes, like "12"',
    "jobReason": "a text of at most 255 characters",
    "commitId": "a text of at most 255 characters",
    "commitMessage": "a text of at most 10000 characters",
    "commitTime": 'an ISO 8601 time, in quotes, like "2026-01-31T12:00:00Z"',
}
# What pydantic says in words that are its own.
_WRONG = {"missing": "is missing", "string_pattern_mismatch": "does not look right", "too_short": "is empty"}
# More come only of aliases within aliases, of which a short file can make any number.
_MOST_VALUES = 200_000
# YAML's name for the type of the key <<.
_MERGE = "tag:yaml.org,2002:merge"
# What the file has beside the members of a model.
_FILE_MEMBERS: dict[type[BaseModel], tuple[str, ...]] = {Routes: (DEFAULTS,), Route: (MATRIX,)}
# The models that hold fields, by the place of their members in the file; "*" stands for any name.
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
}


def read_routes(content: bytes, file: str, stack: str) -> Routes:
    """Read and check a routes file; the functions of the stack read only secrets under `/<stack>/secrets/`.

    Raises InvalidRoutes with a line for each fault, `routes.yaml:9: routes.web.timeoutMinutes: … ; use …`.
    """
    document = _Document(content)
    expansion = expand(document.value)
    faults = document.faults
    if document.readable:
        value = expansion.value
        checks = (_model_faults, _parameter_faults, _stop_faults, _value_faults, _source_faults, _timezone_faults)
        found = [*(fault for check in checks for fault in check(value)), *_secret_faults(value, stack)]
        faults = [*faults, *expansion.faults, *expansion.placed(found)]
    if faults:
        places = dict.fromkeys((document.place(path), text) for path, text in faults)
        lines = sorted((document.line(path), ".".join(map(str, path)), text) for path, text in places)
        raise InvalidRoutes([": ".join(filter(None, (f"{file}:{line}", path, text))) for line, path, text in lines])
    return Routes.model_validate_json(json.dumps(expansion.value))


def unguarded(routes: Routes) -> list[str]:
    """The routes that any of several sources could start: a secret is meant for one endpoint and its repositories."""
    if len(routes.sources) < 2:
        return []
    return [name for name, route in routes.routes.items() if route.when.repository and route.source is None]


class _Document:
    """A YAML document as plain values, with the line of each."""

    def __init__(self, content: bytes) -> None:
        self._lines: dict[Path, int] = {}
        # Where maps and lists were met first, where an alias has them again, and whence merged members come.
        self._anchored: dict[yaml.Node, Path] = {}
        self._aliases: dict[Path, Path] = {}
        self._merges: dict[Path, Path] = {}
        self.faults: list[Fault] = []
        self.value: Any = None
        self.readable = False
        try:
            node = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
            self.value = self._plain(node, ()) if node else None
            self.readable = True
        except UnicodeDecodeError:
            self.faults.append(((), "is not UTF-8; save the file as UTF-8 text"))
        except RecursionError:
            self.faults.append(((), "refers to itself or is nested too deep; write it out"))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self._lines[()] = mark.line + 1 if mark else 1
            problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "can't be read"
            self.faults.append(((), f"is not YAML: {problem}; check indentation, quotes and brackets there"))

    def line(self, path: Path) -> int:
        """The line of what lies at a path, or of the innermost thing around it that the file has."""
        return next((self._lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self._lines), 1)

    def place(self, path: Path) -> Path:
        """Where the file has what lies at a path: in the case of an alias, at the anchor."""
        for end in range(len(path), 0, -1):
            # An alias itself is a value of the place where it stands.
            anchor = self._merges.get(path[:end]) or (self._aliases.get(path[:end]) if end < len(path) else None)
            if anchor is not None:
                return (*anchor, *path[end:])
        return path

    def _plain(self, node: yaml.Node, path: Path) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if len(self._lines) > _MOST_VALUES:
            raise RecursionError
        if node.tag.startswith("!"):
            self.faults.append((path, f"YAML takes {node.tag} for a tag; put what opens with ! in quotes"))
        if isinstance(node, yaml.CollectionNode) and self._anchored.setdefault(node, path) != path:
            self._aliases[path] = self._anchored[node]
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(inner, (*path, index)) for index, inner in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return self._scalar(node)
        members: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag != _MERGE:
                key, inner = self._key(key_node, path)
                if key in members:
                    line = key_node.start_mark.line + 1
                    self.faults.append((inner, f"is there twice, again in line {line}; keep one of the two"))
                members[key] = self._plain(value_node, inner)
        # What a map says itself counts more than what is merged into it, and of that the first.
        for merged, key_node, value_node in self._merged(node, path):
            if str(self._scalar(key_node)) not in members:
                key, inner = self._key(key_node, path)
                if merged in self._anchored:
                    self._merges[inner] = (*self._anchored[merged], key)
                members[key] = self._plain(value_node, inner)
        return members

    def _key(self, node: yaml.Node, path: Path) -> tuple[str, Path]:
        key = self._scalar(node)
        inner = (*path, str(key))
        self._lines.setdefault(inner, node.start_mark.line + 1)
        if not isinstance(key, str):
            self.faults.append((inner, f"YAML reads the name {node.value!r} as no text; put it in quotes"))
        return str(key), inner

    def _merged(self, node: yaml.Node, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node, yaml.Node]]:
        """The members that `<<` merges into a map, each with the map that has it.

        Source: "Merge Key Language-Independent Type for YAML".
        """
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                maps = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                for merged in maps:
                    if isinstance(merged, yaml.MappingNode):
                        yield from ((merged, *pair) for pair in merged.value if pair[0].tag != _MERGE)
                        yield from self._merged(merged, path)
                    else:
                        self._lines.setdefault((*path, "<<"), key_node.start_mark.line + 1)
                        self.faults.append(((*path, "<<"), "merges no map; use an anchor of one, like <<: *base"))

    def _scalar(self, node: yaml.Node) -> Any:
        """A scalar as JSON could hold it: YAML's times stay text."""
        plain = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:int", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")
        if node.tag in plain and isinstance(node, yaml.ScalarNode):
            return yaml.SafeLoader("").construct_object(node)
        return str(node.value)


def _model_faults(value: Any) -> Iterator[Fault]:
    try:
        Routes.model_validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        for details in _details(error):
            path = tuple(part for part in details["loc"] if part != "[key]")
            if len(path) < len(details["loc"]):
                yield path, f"is not a usable name; use {_NAME}"
            else:
                model = next((model for place, model in _MODELS.items() if _lies_in(path[:-1], place)), None)
                yield path, _explained(details, path, model)


def _parameter_faults(value: Any) -> Iterator[Fault]:
    """What the operation's API would refuse, except where a placeholder decides only later."""
    for name, route in _members(value, "routes"):
        request = _member(route, "request")
        parameters, operation = _member(request, "parameters"), _member(request, "operation")
        if not isinstance(parameters, dict) or operation not in list(Operation):
            continue
        model = parameters_model(Operation(operation))
        try:
            model.model_validate_json(json.dumps(parameters), strict=True, by_alias=True, by_name=False)
        except ValidationError as error:
            for details in _details(error):
                inner = details["loc"]
                if not named(_text_at(parameters, inner)):
                    path = ("routes", name, "request", "parameters", *inner)
                    yield path, _explained(details, path, model)


def _text_at(value: Any, path: Path) -> str:
    """The text at a path; nothing where there is none."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return ""
    return value if isinstance(value, str) else ""


def _stop_faults(value: Any) -> Iterator[Fault]:
    """What a route may not say of operations whose jobs can't be stopped."""
    for name, route in _members(value, "routes"):
        operation = _member(_member(route, "request"), "operation")
        on_timeout = OnTimeout.STOP if _member(route, "onTimeout") == OnTimeout.STOP else OnTimeout.LEAVE
        if isinstance(operation, str):
            for member, text in not_for(operation, _member(route, "supersede") is True, on_timeout):
                yield ("routes", name, member), text


def _value_faults(value: Any) -> Iterator[Fault]:
    """Values that no event has, or none of the kinds that the route waits for."""
    for name, route in _members(value, "routes"):
        kinds = _kinds(_member(route, "when"))
        known = values_of(kinds or tuple(EventKind))
        what = " or ".join(kinds) or "event"
        right = f"use one of {', '.join(known)}" if known else "leave it out"
        parameters = _member(_member(route, "request"), "parameters")
        for path, text in texts(parameters, ("routes", name, "request", "parameters")):
            for placeholder in named(text):
                if placeholder not in known:
                    yield path, f"{placeholder} is nothing that a {what} has; {right}"


def _kinds(when: Any) -> tuple[EventKind, ...]:
    """The kinds of events that a condition waits for, as far as it is right."""
    try:
        return When.model_validate_json(json.dumps(when), strict=True, by_alias=True, by_name=False).kinds
    except ValidationError:
        return ()


def _source_faults(value: Any) -> Iterator[Fault]:
    """Sources that are not there, and repositories whose name only CodeCommit could know."""
    sources = [name for name, _ in _members(value, "sources")]
    for name, route in _members(value, "routes"):
        source = _member(route, "source")
        if isinstance(source, str) and source not in (*sources, CODECOMMIT):
            yield (
                ("routes", name, "source"),
                f"there is no source {source}; use one of {', '.join((*sources, CODECOMMIT))}",
            )
        for kind, condition in _members(route, "when"):
            repository = _member(condition, "repository")
            if isinstance(repository, str) and source != CODECOMMIT and not ("/" in repository or "**" in repository):
                right = f"use {_RIGHT['repository']}; CodeCommit's names need source: {CODECOMMIT} in the route"
                yield ("routes", name, "when", kind, "repository"), f"{repository!r} lacks the owner; {right}"


def _timezone_faults(value: Any) -> Iterator[Fault]:
    known = available_timezones()
    for name, route in _members(value, "routes"):
        timezone = _member(_member(_member(route, "when"), "schedule"), "timezone")
        # Without the system's data on time zones Scheduler is left to judge.
        if isinstance(timezone, str) and known and timezone not in known:
            close = difflib.get_close_matches(timezone, known, n=1)
            right = close[0] if close else "a name like Europe/Berlin"
            yield ("routes", name, "when", "schedule", "timezone"), f"{timezone!r} is no time zone; use {right}"


def _secret_faults(value: Any, stack: str) -> Iterator[Fault]:
    for name, source in _members(value, "sources"):
        secrets = _member(source, "secrets")
        for index, secret in enumerate(secrets if isinstance(secrets, list) else []):
            if isinstance(secret, str) and not secret.startswith(f"/{stack}/secrets/"):
                right = f"/{stack}/secrets/{name}"
                yield ("sources", name, "secrets", index), f"{secret} is not for stack {stack} to read; use {right}"


def _details(error: ValidationError) -> list[ErrorDetails]:
    # Of a list with broken members pydantic says that it is too short as well.
    return [one for one in error.errors(include_url=False) if one["type"] != "too_short" or not one["input"]]


def _explained(details: ErrorDetails, path: Path, model: type[BaseModel] | None) -> str:
    if details["type"] == "value_error":
        return details["msg"].removeprefix("Value error, ")
    if details["type"] == "extra_forbidden" and model is not None:
        known = [field.alias or name for name, field in model.model_fields.items() if name != "version"]
        known += _FILE_MEMBERS.get(model, ())
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        return f"is not known here; use {close[0]}" if close else f"is not known here; use one of {', '.join(known)}"
    right = next(
        (_RIGHT[part] for part in reversed(path) if isinstance(part, str) and part in _RIGHT), _RIGHT["routes"]
    )
    wrong = _WRONG.get(details["type"]) or details["msg"].removeprefix("Input ").removeprefix("String ")
    return f"{wrong}; use {right}"


def _lies_in(path: Path, place: tuple[str, ...]) -> bool:
    return len(path) == len(place) and all(expected in ("*", part) for part, expected in zip(path, place, strict=True))


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _members(value: Any, key: str) -> list[tuple[str, Any]]:
    members = _member(value, key)
    return list(members.items()) if isinstance(members, dict) else []
