"""The build specification, amplify.yml: from text to what a build is to run, or an error that names the place.

Source: Amplify Hosting user guide, "Build specification reference" and "Configuring monorepo build settings". Where the
service is known to word an error in its own way (amplify-hosting issues 1029, 1995, 3170, 3172, 3281, 3900), so do we.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

CHARACTER_LIMIT = 25_000
MONOREPO_VARIABLE = "AMPLIFY_MONOREPO_APP_ROOT"

# Sections in the order in which Amplify runs them, with their phases.
PHASES = {
    "backend": ("preBuild", "build", "postBuild"),
    "frontend": ("preBuild", "build", "postBuild"),
    "test": ("preTest", "test", "postTest"),
}
TOP_KEYS = {"version", "appRoot", "env", "applications", *PHASES}
SECTION_KEYS = {"phases", "artifacts", "cache", "buildPath"}


class BuildSpecError(Exception):
    """The build specification can't be used; the message says what is wrong, where, and what would be right."""


@dataclass(frozen=True)
class Artifacts:
    """The files that a section leaves: patterns below a directory, `discard_paths` for their bare names only."""

    base_directory: str
    files: tuple[str, ...]
    discard_paths: bool = False


@dataclass(frozen=True)
class Section:
    """backend, frontend or test: its phases with their commands, in the order in which they run."""

    name: str
    phases: tuple[tuple[str, tuple[str, ...]], ...]
    build_path: str
    artifacts: Artifacts | None
    cache_paths: tuple[str, ...]


@dataclass(frozen=True)
class BuildSpec:
    """One application's build. `ignored` names what was understood as nothing, so that a typing error is seen."""

    sections: tuple[Section, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


class _TextLoader(yaml.SafeLoader):
    """Reads every scalar as the text that it is: `NODE: 18.10` and `CI: yes` are no number and no truth value."""


_KEPT = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_TextLoader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [resolver for resolver in resolvers if resolver[0] in _KEPT])
}
_CONSTRUCTED = {"null", "str", "seq", "map"}
_TextLoader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in _CONSTRUCTED
}


def parse(text: str, app_root: str | None = None) -> BuildSpec:
    """Read a build specification; `app_root` chooses a monorepo's application (AMPLIFY_MONOREPO_APP_ROOT).

    Raises BuildSpecError, and nothing else, for whatever the text holds.
    """
    if len(text) > CHARACTER_LIMIT:
        raise BuildSpecError(f"the build spec has {len(text):,} characters; at most {CHARACTER_LIMIT:,} are allowed")
    try:
        document = yaml.load(text, Loader=_TextLoader)  # noqa: S506 - it is a SafeLoader that constructs even less
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BuildSpecError(f"Unable to parse build spec: {error.problem or error.context}{where}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BuildSpecError(f"Unable to parse build spec: {error}".splitlines()[0]) from None
    top = _mapping(document, "the build spec")
    version = top.get("version")
    if version not in {"1", "1.0"}:
        raise BuildSpecError(f"version: must be 1, not {_shown(version)}")
    variables = _variables(top.get("env"), "env")
    root = app_root.strip("/").removeprefix("./") if app_root else None
    if "applications" in top:
        application, where = _application(top["applications"], root)
        own = _variables(application.get("env"), f"{where}.env")
        ignored = (*_unknown(top, TOP_KEYS, ""), *_ignored(application, f"{where}."))
        return BuildSpec(_sections(application, f"{where}.", root or ""), {**variables, **own}, ignored)
    if root:
        raise BuildSpecError(
            f'Monorepo spec provided without "applications" key: {MONOREPO_VARIABLE} is set to {app_root!r}, '
            "so the build spec must list applications, each with its appRoot"
        )
    return BuildSpec(_sections(top, "", ""), variables, tuple(_ignored(top, "")))


def _application(value: Any, root: str | None) -> tuple[Mapping[str, Any], str]:
    if not isinstance(value, list) or not value:
        raise BuildSpecError(
            f"applications: must be a list of applications, each with its appRoot, not {_shown(value)}"
        )
    roots = {}
    for number, item in enumerate(value, start=1):
        where = f"applications[{number}]"
        app_root = _mapping(item, where).get("appRoot")
        if not isinstance(app_root, str):
            raise BuildSpecError(f'Invalid Monorepo spec provided. The "appRoot" key needs to be a string: {where}')
        roots[app_root.strip("/").removeprefix("./")] = (item, where)
    if root is None:
        raise BuildSpecError(
            "V2 amplify.yml found with multiple appRoots and no target appRoot set: "
            f"set the environment variable {MONOREPO_VARIABLE} to one of {', '.join(sorted(roots))}"
        )
    if root not in roots:
        raise BuildSpecError(
            f"Invalid monorepo spec, no appRoot matching {root} found: "
            f"{MONOREPO_VARIABLE} must be one of {', '.join(sorted(roots))}"
        )
    return roots[root]


def _sections(document: Mapping[str, Any], where: str, app_root: str) -> tuple[Section, ...]:
    if document.get("frontend") is None:
        raise BuildSpecError(f"{where}frontend: is missing; without it there is nothing to deploy")
    sections = []
    for name, phases in PHASES.items():
        if document.get(name) is None:
            continue
        place = f"{where}{name}"
        section = _mapping(document[name], place)
        artifacts = _artifacts(section.get("artifacts"), f"{place}.artifacts")
        if name == "frontend" and artifacts is None:
            raise BuildSpecError(f"The artifacts key was not provided in the build spec: {place}.artifacts")
        build_path = section.get("buildPath")
        sections.append(
            Section(
                name=name,
                phases=_phases(section.get("phases"), f"{place}.phases", phases),
                build_path=app_root if build_path is None else _path(build_path, f"{place}.buildPath"),
                artifacts=artifacts,
                cache_paths=_texts(
                    _optional_mapping(section.get("cache"), f"{place}.cache").get("paths"), f"{place}.cache.paths"
                ),
            )
        )
    return tuple(sections)


def _phases(value: Any, where: str, names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    phases = _optional_mapping(value, where)
    found = []
    for name in names:
        if phases.get(name) is not None:
            commands = _mapping(phases[name], f"{where}.{name}").get("commands")
            found.append((name, _texts(commands, f"{where}.{name}.commands")))
    return tuple(found)


def _artifacts(value: Any, where: str) -> Artifacts | None:
    if value is None:
        return None
    artifacts = _mapping(value, where)
    if artifacts.get("baseDirectory") is None:
        raise BuildSpecError(f"{where}.baseDirectory: is missing; name the directory that holds the build's files")
    discard = artifacts.get("discard-paths", "no")
    if discard not in {"yes", "no", "true", "false"}:
        raise BuildSpecError(f"{where}.discard-paths: must be yes or no, not {_shown(discard)}")
    return Artifacts(
        base_directory=_path(artifacts["baseDirectory"], f"{where}.baseDirectory"),
        files=_texts(artifacts.get("files"), f"{where}.files") or ("**/*",),
        discard_paths=discard in {"yes", "true"},
    )


def _variables(value: Any, where: str) -> dict[str, str]:
    variables = _optional_mapping(_optional_mapping(value, where).get("variables"), f"{where}.variables")
    for name, text in variables.items():
        if not name or "=" in name or "\0" in name:
            raise BuildSpecError(f"{where}.variables: {name!r} can't be the name of an environment variable")
        if text is not None and not isinstance(text, str):
            raise BuildSpecError(f"{where}.variables.{name}: must be text, not {_shown(text)}")
        if text is not None and "\0" in text:
            raise BuildSpecError(f"{where}.variables.{name}: must not hold a NUL character")
    return {name: text or "" for name, text in variables.items()}


def _path(value: Any, where: str) -> str:
    """A directory inside the repository: a leading slash means the repository's root, climbing out is refused."""
    if not isinstance(value, str) or "\0" in value:
        raise BuildSpecError(f"{where}: must be the path of a directory, not {_shown(value)}")
    parts = [part for part in value.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise BuildSpecError(f"{where}: {value!r} leaves the repository; paths with .. are not allowed")
    return "/".join(parts)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BuildSpecError(f"{where}: must be a list, not {_shown(value)}")
    for number, item in enumerate(value, start=1):
        if isinstance(item, dict):
            raise BuildSpecError(
                f"{where}[{number}]: YAML reads this as a mapping because of its colon; put it in quotes"
            )
        if not isinstance(item, str) or "\0" in item:
            raise BuildSpecError(f"{where}[{number}]: must be text, not {_shown(item)}")
    return tuple(value)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BuildSpecError(f"{where}: must be a mapping, not {_shown(value)}")
    if not all(isinstance(key, str) for key in value):
        raise BuildSpecError(f"{where}: every key must be text")
    return value


def _optional_mapping(value: Any, where: str) -> Mapping[str, Any]:
    return {} if value is None else _mapping(value, where)


def _unknown(document: Mapping[str, Any], known: set[str], where: str) -> Iterator[str]:
    for key in document:
        if key not in known:
            yield f"{where}{key} is not known and was ignored; known are {', '.join(sorted(known))}"


def _ignored(document: Mapping[str, Any], where: str) -> Iterator[str]:
    """Name the keys that look as if they did something and do nothing; the shapes are known to be right."""
    yield from _unknown(document, TOP_KEYS, where)
    for name, phases in PHASES.items():
        section = document.get(name)
        if section is not None:
            yield from _unknown(section, SECTION_KEYS, f"{where}{name}.")
            yield from _unknown(section.get("phases") or {}, set(phases), f"{where}{name}.phases.")


def _shown(value: Any) -> str:
    """A value for an error message: its kind, and itself where it is short."""
    match value:
        case None:
            return "nothing"
        case str():
            return repr(value if len(value) <= 40 else value[:40] + "…")
        case dict():
            return "a mapping"
        case _:
            return "a list"
