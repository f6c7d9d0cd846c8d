"""The build specification, amplify.yml: from text to what a build is to run, or an error that names the place.

Source: Amplify Hosting user guide, "Build specification reference" and "Configuring monorepo build settings". Where the
service is known to word an error in its own way (amplify-hosting issues 865, 1029, 1995, 3170, 3172, 3281, 3900), so do
we.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from local.amplify.build_spec_yaml import BuildSpecError, TextLoader, shown

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
PHASE_KEYS = {"commands"}
ARTIFACTS_KEYS = {"baseDirectory", "files", "discard-paths"}
CACHE_KEYS = {"paths"}

# Keys that specs in use have, some from AWS's own pages, and that change nothing here; why, and what does instead.
NO_EFFECT = {
    "customHeaders": "Amplify reads headers from customHttp.yml, and the local cloud sends none",
    "buildpath": "the key is buildPath",
    "base-directory": "the key is baseDirectory",
    "discardPaths": "the key is discard-paths",
    "configFilePath": "the local cloud shows no test report",
}


@dataclass(frozen=True)
class Artifacts:
    """The files that a section leaves: patterns below a directory, `discard_paths` for their bare names only.

    `base_directory` is relative to the repository's root.
    """

    base_directory: str
    files: tuple[str, ...]
    discard_paths: bool = False


@dataclass(frozen=True)
class Section:
    """backend, frontend or test: its phases with their commands, in the order in which they run.

    `build_path` is relative to the repository's root. Where `enters_build_path` is false, the commands run where those
    of the section before left the shell.
    """

    name: str
    phases: tuple[tuple[str, tuple[str, ...]], ...]
    build_path: str
    enters_build_path: bool
    artifacts: Artifacts | None
    cache_paths: tuple[str, ...]


@dataclass(frozen=True)
class BuildSpec:
    """One application's build. `ignored` names what was understood as nothing, so that a typing error is seen."""

    sections: tuple[Section, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def parse(text: str, app_root: str | None = None) -> BuildSpec:
    """Read a build specification; `app_root` chooses a monorepo's application (AMPLIFY_MONOREPO_APP_ROOT).

    Raises BuildSpecError, and nothing else, for whatever the text holds.
    """
    if len(text) > CHARACTER_LIMIT:
        raise BuildSpecError(f"the build spec has {len(text):,} characters; at most {CHARACTER_LIMIT:,} are allowed")
    try:
        document = yaml.load(text, Loader=TextLoader)  # noqa: S506 - it is a SafeLoader that constructs even less
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BuildSpecError(f"Unable to parse build spec: {error.problem or error.context}{where}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BuildSpecError(f"Unable to parse build spec: {error}".splitlines()[0]) from None
    top = _mapping(document, "the build spec")
    notes = tuple(_version_notes(top.get("version")))
    variables = _variables(top.get("env"), "env")
    root = None if app_root is None or not app_root.strip() else _inside("", app_root, MONOREPO_VARIABLE)
    if "applications" in top:
        application, where, root = _application(top["applications"], root)
        own = _variables(application.get("env"), f"{where}.env")
        sections = _sections(application, f"{where}.", root)
        ignored = (*notes, *_unknown(top, TOP_KEYS, ""), *_ignored(application, f"{where}."))
        return BuildSpec(sections, {**variables, **own}, ignored)
    if root:
        raise BuildSpecError(
            f'Monorepo spec provided without "applications" key: {MONOREPO_VARIABLE} is set to {app_root!r}, '
            "so the build spec must list applications, each with its appRoot"
        )
    return BuildSpec(_sections(top, "", None), variables, (*notes, *_ignored(top, "")))


def _version_notes(version: Any) -> Iterator[str]:
    """Amplify builds specs of any version (amplify-hosting issues 552, 1472); its reference has 1 only."""
    if isinstance(version, dict | list):
        raise BuildSpecError(f"version: must be 1, not {shown(version)}")
    if version not in {"1", "1.0"}:
        state = "is missing" if version is None else f"is {shown(version)}"
        yield f"version: {state}; the build spec is read as version 1"


def _application(value: Any, root: str | None) -> tuple[Mapping[str, Any], str, str]:
    """The application of a root, its place in the spec, and the root again."""
    if not isinstance(value, list) or not value:
        raise BuildSpecError(f"applications: must be a list of applications, each with its appRoot, not {shown(value)}")
    applications: dict[str, tuple[Mapping[str, Any], str]] = {}
    for number, item in enumerate(value, start=1):
        where = f"applications[{number}]"
        app_root = _mapping(item, where).get("appRoot")
        if not isinstance(app_root, str):
            raise BuildSpecError(f'Invalid Monorepo spec provided. The "appRoot" key needs to be a string: {where}')
        applications[_inside("", app_root, f"{where}.appRoot")] = (item, where)
    roots = ", ".join(sorted(root or "/" for root in applications))
    if root is None:
        raise BuildSpecError(
            "V2 amplify.yml found with multiple appRoots and no target appRoot set: "
            f"set the environment variable {MONOREPO_VARIABLE} to one of {roots}"
        )
    if root not in applications:
        raise BuildSpecError(
            f"Invalid monorepo spec, no appRoot matching {root or '/'} found: "
            f"{MONOREPO_VARIABLE} must be one of {roots}"
        )
    return (*applications[root], root)


def _sections(document: Mapping[str, Any], where: str, app_root: str | None) -> tuple[Section, ...]:
    """The sections that are there; `app_root` is None for a spec without applications."""
    if document.get("frontend") is None:
        raise BuildSpecError(f"{where}frontend: is missing; without it there is nothing to deploy")
    sections: list[Section] = []
    for name, phases in PHASES.items():
        if document.get(name) is None:
            continue
        place = f"{where}{name}"
        section = _mapping(document[name], place)
        build_path = _build_path(section.get("buildPath"), app_root or "", f"{place}.buildPath")
        artifacts = _artifacts(section.get("artifacts"), build_path, f"{place}.artifacts")
        if name == "frontend" and artifacts is None:
            raise BuildSpecError(f"The artifacts key was not provided in the build spec: {place}.artifacts")
        cache = _optional_mapping(section.get("cache"), f"{place}.cache")
        # The sections share a shell. It goes to a path that a section names, and to the root of an application of a
        # monorepo unless it was there already.
        elsewhere = app_root is not None and (not sections or sections[-1].build_path != build_path)
        sections.append(
            Section(
                name=name,
                phases=_phases(section.get("phases"), f"{place}.phases", phases),
                build_path=build_path,
                enters_build_path=section.get("buildPath") is not None or elsewhere,
                artifacts=artifacts,
                cache_paths=_texts(cache.get("paths"), f"{place}.cache.paths"),
            )
        )
    return tuple(sections)


def _phases(value: Any, where: str, names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    section = _optional_mapping(value, where)
    phases = []
    for name in names:
        if section.get(name) is not None:
            commands = _mapping(section[name], f"{where}.{name}").get("commands")
            phases.append((name, _texts(commands, f"{where}.{name}.commands")))
    return tuple(phases)


def _artifacts(value: Any, build_path: str, where: str) -> Artifacts | None:
    if value is None:
        return None
    artifacts = _mapping(value, where)
    if artifacts.get("baseDirectory") is None:
        raise BuildSpecError(f"{where}.baseDirectory: is missing; name the directory that holds the build's files")
    discard = artifacts.get("discard-paths", "no")
    if discard not in {"yes", "no", "true", "false"}:
        raise BuildSpecError(f"{where}.discard-paths: must be yes or no, not {shown(discard)}")
    return Artifacts(
        base_directory=_inside(build_path, artifacts["baseDirectory"], f"{where}.baseDirectory"),
        files=_texts(artifacts.get("files"), f"{where}.files") or ("**/*",),
        discard_paths=discard in {"yes", "true"},
    )


def _variables(value: Any, where: str) -> dict[str, str]:
    variables = _optional_mapping(_optional_mapping(value, where).get("variables"), f"{where}.variables")
    for name, text in variables.items():
        if not name or "=" in name or "\0" in name:
            raise BuildSpecError(f"{where}.variables: {name!r} can't be the name of an environment variable")
        if text is not None and not isinstance(text, str):
            raise BuildSpecError(f"{where}.variables.{name}: must be text, not {shown(text)}")
        if text is not None and "\0" in text:
            raise BuildSpecError(f"{where}.variables.{name}: must not hold a NUL character")
    return {name: text or "" for name, text in variables.items()}


def _inside(base: str, value: Any, where: str) -> str:
    """A directory below `base`, as a path from the repository's root; a leading slash means `base` too.

    The path is judged once it is joined: one that climbs from a base and stays in the repository is fine.
    """
    if not isinstance(value, str) or "\0" in value:
        raise BuildSpecError(f"{where}: must be the path of a directory, not {shown(value)}")
    path = posixpath.normpath(posixpath.join(base, value.lstrip("/")))
    if path == ".." or path.startswith("../"):
        seen_from = f", seen from {base!r}" if base else ""
        raise BuildSpecError(f"{where}: {value!r} is outside of the repository{seen_from}; name a directory inside")
    return "" if path == "." else path


def _build_path(value: Any, app_root: str, where: str) -> str:
    """Where a section is built: buildPath is relative to the repository, or to appRoot where it climbs."""
    if value is None:
        return app_root
    climbs = isinstance(value, str) and posixpath.normpath(value).startswith("..")
    return _inside(app_root if climbs else "", value, where)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BuildSpecError(f"{where}: must be a list, not {shown(value)}; write each item as a line with a dash")
    for number, item in enumerate(value, start=1):
        if item is None:
            continue
        if isinstance(item, dict):
            raise BuildSpecError(
                f"{where}[{number}]: YAML reads this as a mapping because of its colon; put it in quotes"
            )
        if not isinstance(item, str) or "\0" in item:
            raise BuildSpecError(f"{where}[{number}]: must be text, not {shown(item)}")
    return tuple(item for item in value if item is not None)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BuildSpecError(f"{where}: must be a mapping, not {shown(value)}")
    if not all(isinstance(key, str) for key in value):
        raise BuildSpecError(f"{where}: every key must be text")
    return value


def _optional_mapping(value: Any, where: str) -> Mapping[str, Any]:
    return {} if value is None else _mapping(value, where)


def _unknown(document: Mapping[str, Any], keys: set[str], where: str) -> Iterator[str]:
    for key in document:
        if key in NO_EFFECT:
            yield f"{where}{key} has no effect: {NO_EFFECT[key]}"
        elif key not in keys:
            yield f"{where}{key} is not known and was ignored; known are {', '.join(sorted(keys))}"


def _empty(items: list[str | None] | None, where: str) -> Iterator[str]:
    for number, item in enumerate(items or [], start=1):
        if item is None:
            yield f"{where}[{number}] is empty and was skipped"


def _ignored(document: Mapping[str, Any], where: str) -> Iterator[str]:
    """Name what looks as if it did something and does nothing; the shapes are known to be right."""
    yield from _unknown(document, TOP_KEYS, where)
    for name, phases in PHASES.items():
        section = document.get(name)
        if section is None:
            continue
        place = f"{where}{name}"
        yield from _unknown(section, SECTION_KEYS, f"{place}.")
        yield from _unknown(section.get("phases") or {}, set(phases), f"{place}.phases.")
        for phase in phases:
            commands = (section.get("phases") or {}).get(phase) or {}
            yield from _unknown(commands, PHASE_KEYS, f"{place}.phases.{phase}.")
            yield from _empty(commands.get("commands"), f"{place}.phases.{phase}.commands")
        for part, keys, items in (("artifacts", ARTIFACTS_KEYS, "files"), ("cache", CACHE_KEYS, "paths")):
            mapping = section.get(part) or {}
            yield from _unknown(mapping, keys, f"{place}.{part}.")
            yield from _empty(mapping.get(items), f"{place}.{part}.{items}")
