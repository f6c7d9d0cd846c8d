"""The build spec's parser: documented forms, named faults, and nothing but its own error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from local.amplify.build_spec import Artifacts, BuildSpec, Section, parse
from local.amplify.build_spec_yaml import BuildSpecError

PLAIN = """
version: 1
env:
  variables:
    NODE_VERSION: 18.10
    CI: yes
    EMPTY:
frontend:
  phases:
    preBuild:
      commands:
        - npm ci
    build:
      commands:
        - npm run build
        - |
          if true; then
            echo "two: lines"
          fi
    postBuild:
      commands: []
  artifacts:
    baseDirectory: ./dist/
    files:
      - '**/*'
  cache:
    paths:
      - node_modules/**/*
"""

MONOREPO = """
version: 1
env: {variables: {A: top, B: top}}
applications:
  - appRoot: apps/one
    env: {variables: {B: one}}
    frontend:
      phases: {build: {commands: [make one]}}
      artifacts: {baseDirectory: out}
  - appRoot: /apps/two/
    frontend:
      buildPath: /
      phases: {build: {commands: [make two]}}
      artifacts: {baseDirectory: apps/two/out, files: [index.html], discard-paths: yes}
"""


def test_the_documented_form() -> None:
    assert parse(PLAIN) == BuildSpec(
        sections=(
            Section(
                name="frontend",
                phases=(
                    ("preBuild", ("npm ci",)),
                    ("build", ("npm run build", 'if true; then\n  echo "two: lines"\nfi\n')),
                    ("postBuild", ()),
                ),
                build_path="",
                enters_build_path=False,
                artifacts=Artifacts("dist", ("**/*",)),
                cache_paths=("node_modules/**/*",),
            ),
        ),
        variables={"NODE_VERSION": "18.10", "CI": "yes", "EMPTY": ""},
    )


def test_sections_run_in_amplifys_order_whatever_the_files() -> None:
    text = """
version: 1.0
test: {phases: {preTest: {commands: [a]}, test: {commands: [b]}}, artifacts: {baseDirectory: report}}
frontend: {artifacts: {baseDirectory: /}}
backend: {phases: {build: {commands: [c]}}}
"""
    assert [section.name for section in parse(text).sections] == ["backend", "frontend", "test"]


@pytest.mark.parametrize(
    ("root", "command", "build_path", "artifacts", "variables"),
    [
        ("apps/one", "make one", "apps/one", Artifacts("apps/one/out", ("**/*",)), {"A": "top", "B": "one"}),
        ("apps/two", "make two", "", Artifacts("apps/two/out", ("index.html",), True), {"A": "top", "B": "top"}),
        ("/apps/two/", "make two", "", Artifacts("apps/two/out", ("index.html",), True), {"A": "top", "B": "top"}),
        ("./apps/one", "make one", "apps/one", Artifacts("apps/one/out", ("**/*",)), {"A": "top", "B": "one"}),
    ],
)
def test_a_monorepos_application_is_chosen_by_its_root(
    root: str, command: str, build_path: str, artifacts: Artifacts, variables: dict[str, str]
) -> None:
    spec = parse(MONOREPO, root)
    (section,) = spec.sections
    assert (section.phases, section.build_path) == ((("build", (command,)),), build_path)
    assert (section.artifacts, spec.variables) == (artifacts, variables)


def frontend(artifacts: str = "{baseDirectory: dist}", more: str = "") -> str:
    return f"version: 1\nfrontend:\n  artifacts: {artifacts}\n{more}"


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (frontend(), []),
        (frontend(more="  artifact: {}\n"), ["frontend.artifact is not known and was ignored"]),
        (
            frontend(more="  phases: {prebuild: {commands: [npm ci]}, build: {command: [make]}}\n"),
            ["frontend.phases.prebuild is not known", "frontend.phases.build.command is not known"],
        ),
        (frontend(more="  cache: {path: [x]}\n"), ["frontend.cache.path is not known"]),
        (frontend("{baseDirectory: dist, name: x}"), ["frontend.artifacts.name is not known"]),
        (frontend(more="customHeaders: []\n"), ["customHeaders has no effect: Amplify reads headers from customHttp"]),
        (frontend(more="  customHeaders: []\n"), ["frontend.customHeaders has no effect"]),
        (frontend(more="  buildpath: web\n"), ["frontend.buildpath has no effect: the key is buildPath"]),
        (
            frontend("{baseDirectory: dist, discardPaths: yes, base-directory: x}"),
            [
                "frontend.artifacts.discardPaths has no effect: the key is discard-paths",
                "frontend.artifacts.base-directory has no effect: the key is baseDirectory",
            ],
        ),
        (
            frontend(
                "{baseDirectory: dist, files: [~, a]}", "  cache: {paths: [~]}\n  phases: {build: {commands: [a, ~]}}\n"
            ),
            [
                "frontend.phases.build.commands[2] is empty and was skipped",
                "frontend.artifacts.files[1] is empty and was skipped",
                "frontend.cache.paths[1] is empty and was skipped",
            ],
        ),
        (frontend().replace("version: 1", "version: 0.1"), ["version: is '0.1'; the build spec is read as version 1"]),
        (frontend().replace("version: 1", "version: 0.2"), ["version: is '0.2'"]),
        (frontend().replace("version: 1", "version: two"), ["version: is 'two'"]),
        (frontend().replace("version: 1", "version:"), ["version: is missing"]),
        (frontend().replace("version: 1\n", ""), ["version: is missing"]),
        (frontend().replace("version: 1", "version: '1.0'"), []),
        (
            "applications: [{appRoot: a, customHeaders: x, frontend: {artifacts: {baseDirectory: x}, buildpath: y}}]",
            ["version: is missing", "applications[1].customHeaders has", "applications[1].frontend.buildpath has"],
        ),
    ],
)
def test_what_does_nothing_is_named(text: str, starts: list[str]) -> None:
    lines = parse(text, "a" if "applications" in text else None).ignored
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == starts


@pytest.mark.parametrize(
    ("root", "build_path", "base_directory", "path", "directory"),
    [
        (None, None, "dist", "", "dist"),
        (None, None, "/", "", ""),
        (None, None, "a/../dist", "", "dist"),
        (None, "web", "dist", "web", "web/dist"),
        (None, "web", "../dist", "web", "dist"),
        ("apps/web", None, "dist", "apps/web", "apps/web/dist"),
        ("apps/web", None, "../../dist/apps/web", "apps/web", "dist/apps/web"),
        ("apps/web", None, "../..", "apps/web", ""),
        ("apps/web", None, "/dist", "apps/web", "apps/web/dist"),
        ("./apps/../apps/web/", None, "dist", "apps/web", "apps/web/dist"),
        ("apps/web", "/", "dist/apps/web", "", "dist/apps/web"),
        ("apps/web", "../..", "dist/apps/web", "", "dist/apps/web"),
        ("apps/web", "../shop", "dist", "apps/shop", "apps/shop/dist"),
        ("apps/web", "apps/shop/", "dist", "apps/shop", "apps/shop/dist"),
        ("apps/web", "tools/../apps/shop", "../web/dist", "apps/shop", "apps/web/dist"),
    ],
)
def test_paths_are_judged_after_they_are_joined(
    root: str | None, build_path: str | None, base_directory: str, path: str, directory: str
) -> None:
    section: dict[str, object] = {"artifacts": {"baseDirectory": base_directory}}
    if build_path is not None:
        section["buildPath"] = build_path
    document = {"frontend": section} if root is None else {"applications": [{"appRoot": root, "frontend": section}]}
    (result,) = parse(yaml.safe_dump({"version": 1, **document}), root).sections
    assert (result.build_path, result.artifacts) == (path, Artifacts(directory, ("**/*",)))


@given(
    root=st.lists(st.sampled_from(["a", "b", "..", "."]), max_size=4).map("/".join),
    directory=st.lists(st.sampled_from(["a", "b", "..", "."]), max_size=6).map("/".join),
)
def test_no_path_leaves_the_repository(root: str, directory: str) -> None:
    section = {"artifacts": {"baseDirectory": directory}}
    text = yaml.safe_dump({"version": 1, "applications": [{"appRoot": root, "frontend": section}]})
    clone = Path("/clone")
    joined = [Path(os.path.normpath(path)) for path in (clone / root, clone / root / directory)]
    if not all(path.is_relative_to(clone) for path in joined):
        with pytest.raises(BuildSpecError, match="is outside of the repository"):
            parse(text, root or "/")
        return
    (result,) = parse(text, root or "/").sections
    assert result.artifacts is not None
    assert [clone / result.build_path, clone / result.artifacts.base_directory] == joined


@pytest.mark.parametrize(
    ("text", "root", "enters"),
    [
        ("backend: {}\nfrontend: {artifacts: {baseDirectory: x}}", None, [False, False]),
        ("backend: {buildPath: api}\nfrontend: {artifacts: {baseDirectory: x}}", None, [True, False]),
        ("backend: {}\nfrontend: {buildPath: /, artifacts: {baseDirectory: x}}", None, [False, True]),
        ("applications: [{appRoot: a, backend: {}, frontend: {artifacts: {baseDirectory: x}}}]", "a", [True, False]),
        (
            "applications:\n- appRoot: a\n  backend: {buildPath: /}\n  frontend: {artifacts: {baseDirectory: x}}\n"
            "  test: {}\n",
            "a",
            [True, True, False],
        ),
    ],
)
def test_the_shell_goes_where_a_section_or_an_application_says(text: str, root: str | None, enters: list[bool]) -> None:
    assert [section.enters_build_path for section in parse(f"version: 1\n{text}", root).sections] == enters


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        (frontend() * 2, "line 4, column 1", "version"),
        (frontend() + "frontend: {}\n", "line 4, column 1", "frontend"),
        (frontend("{baseDirectory: a, baseDirectory: b}"), "line 3, column 33", "baseDirectory"),
        (frontend(more="env: {variables: {A: 1, 'A': 2}}\n"), "line 4, column 25", "A"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n  d: 2\n", "line 5, column 3", "d"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_its_place(text: str, place: str, key: str) -> None:
    with pytest.raises(BuildSpecError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"Unable to parse build spec: duplicated mapping key at {place}: {key!r} is")


def test_a_merge_key_gives_way_to_the_mappings_own() -> None:
    text = (
        "version: 1\nx: &x {B: 1, C: 1}\ny: &y {<<: *x, B: 2}\n"
        "env: {variables: {<<: [*x, *y], B: 3}}\n" + frontend().removeprefix("version: 1\n")
    )
    assert parse(text).variables == {"B": "3", "C": "1"}


CASES = Path(__file__).parents[4] / "shared" / "cases" / "buildspecs"


@pytest.mark.skipif(not CASES.is_dir(), reason="the recorded build specs are not here")
@pytest.mark.parametrize(
    ("name", "root", "start"),
    [
        ("version-0.1", None, "version: is '0.1'"),
        ("basedir-climbs-inside-repo", "apps/web", None),
        ("sections-share-a-shell", None, None),
        ("custom-headers", None, "frontend.customHeaders has no effect"),
    ],
)
def test_recorded_specs_are_read(name: str, root: str | None, start: str | None) -> None:
    result = parse((CASES / f"{name}.yml").read_text(), root)
    assert [line.startswith(start or "?") for line in result.ignored] == ([] if start is None else [True])


@pytest.mark.skipif(not CASES.is_dir(), reason="the recorded build specs are not here")
def test_a_recorded_spec_with_a_key_twice_is_refused() -> None:
    with pytest.raises(BuildSpecError, match="duplicated mapping key at line 6, column 1: 'version'"):
        parse((CASES / "duplicated-key.yml").read_text())


def spec(frontend: str) -> str:
    return f"version: 1\nfrontend:\n  {frontend}\n"


@pytest.mark.parametrize(
    ("text", "root", "message"),
    [
        ("", None, "the build spec: must be a mapping, not nothing"),
        ("just text", None, "the build spec: must be a mapping, not 'just text'"),
        ("- a", None, "the build spec: must be a mapping, not a list"),
        ("version: 1\nfrontend: [", None, "Unable to parse build spec: "),
        ("a: b: c", None, "Unable to parse build spec: mapping values are not allowed here in line 1"),
        ("a: \x01", None, "Unable to parse build spec: "),
        ("a: !!timestamp soon", None, "Unable to parse build spec: could not determine a constructor"),
        ("frontend: {}", None, "The artifacts key was not provided"),
        ("version: 2", None, "frontend: is missing"),
        ("version: [1]", None, "version: must be 1, not a list"),
        ("version: 1", None, "frontend: is missing"),
        (spec("phases: {}"), None, "The artifacts key was not provided in the build spec: frontend.artifacts"),
        (spec("artifacts: {files: []}"), None, "frontend.artifacts.baseDirectory: is missing"),
        (spec("artifacts: {baseDirectory: ../x}"), None, "frontend.artifacts.baseDirectory: '../x' is outside of"),
        (spec("artifacts: {baseDirectory: [x]}"), None, "frontend.artifacts.baseDirectory: must be the path"),
        (
            spec("artifacts: {baseDirectory: x, discard-paths: perhaps}"),
            None,
            "frontend.artifacts.discard-paths: must be",
        ),
        (spec("artifacts: {baseDirectory: x, files: dist}"), None, "frontend.artifacts.files: must be a list"),
        (spec("buildPath: a/../..\n  artifacts: {baseDirectory: x}"), None, "frontend.buildPath: 'a/../..' is outside"),
        (
            spec("phases: [build]\n  artifacts: {baseDirectory: x}"),
            None,
            "frontend.phases: must be a mapping, not a list",
        ),
        (
            spec("phases: {build: [make]}\n  artifacts: {baseDirectory: x}"),
            None,
            "frontend.phases.build: must be a mapping, not a list",
        ),
        (
            spec("phases: {build: {commands: make}}\n  artifacts: {baseDirectory: x}"),
            None,
            "frontend.phases.build.commands: must be a list, not 'make'; write each item as a line with a dash",
        ),
        (
            "version: 1\nfrontend:\n  phases:\n    build:\n      commands:\n        - make\n        - echo one: two\n"
            "  artifacts: {baseDirectory: x}\n",
            None,
            "frontend.phases.build.commands[2]: YAML reads this as a mapping because of its colon; put it in quotes",
        ),
        ("version: 1\nenv: {variables: {A: [1]}}", None, "env.variables.A: must be text, not a list"),
        ("version: 1\nenv: {variables: {'A=B': c}}", None, "env.variables: 'A=B' can't be the name"),
        (
            "version: 1\napplications: [{appRoot: a/b, frontend: {artifacts: {baseDirectory: ../../../x}}}]",
            "a/b",
            "applications[1].frontend.artifacts.baseDirectory: "
            "'../../../x' is outside of the repository, seen from 'a/b'",
        ),
        ("version: 1\napplications: [{appRoot: ../a}]", "a", "applications[1].appRoot: '../a' is outside of"),
        (PLAIN, "../a", "AMPLIFY_MONOREPO_APP_ROOT: '../a' is outside of the repository"),
        (
            "version: 1\napplications: [{appRoot: ''}]",
            None,
            "V2 amplify.yml found with multiple appRoots and no target appRoot set: set the environment variable "
            "AMPLIFY_MONOREPO_APP_ROOT to one of /",
        ),
        ("version: 1\n1: {a: b}\n? [x]\n: y", None, "Unable to parse build spec: "),
        ("version: 1\n~: x", None, "the build spec: every key must be text"),
        ("version: 1\napplications: {}", "a", "applications: must be a list of applications"),
        ("version: 1\napplications: []", "a", "applications: must be a list of applications"),
        (
            "version: 1\napplications: [{frontend: {}}]",
            "a",
            'Invalid Monorepo spec provided. The "appRoot" key needs to be a string: applications[1]',
        ),
        (
            MONOREPO,
            None,
            "V2 amplify.yml found with multiple appRoots and no target appRoot set: set the environment variable "
            "AMPLIFY_MONOREPO_APP_ROOT to one of apps/one, apps/two",
        ),
        (MONOREPO, "apps/three", "Invalid monorepo spec, no appRoot matching apps/three found"),
        (PLAIN, "apps/one", 'Monorepo spec provided without "applications" key'),
        (
            "version: 1\napplications: [{appRoot: a, frontend: {artifacts: {}}}]",
            "a",
            "applications[1].frontend.artifacts.baseDirectory: is missing",
        ),
        ("#" * 25_001, None, "the build spec has 25,001 characters; at most 25,000 are allowed"),
        ("[" * 20_000, None, "Unable to parse build spec: "),
        ("&a [*a]", None, "the build spec: must be a mapping, not a list"),
    ],
)
def test_every_fault_is_named_with_its_place(text: str, root: str | None, message: str) -> None:
    with pytest.raises(BuildSpecError) as caught:
        parse(text, root)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_as_many_characters_as_are_allowed_are_read() -> None:
    assert parse(PLAIN + "#" * (25_000 - len(PLAIN))).sections == parse(PLAIN).sections


SECTION_KEYS = ["phases", "preBuild", "build", "postBuild", "commands", "artifacts", "baseDirectory", "files", "cache"]
TOP_KEYS = ["version", "env", "variables", "applications", "appRoot", "frontend", "backend", "test", "buildPath", "<<"]
KEYS = st.sampled_from([*SECTION_KEYS, *TOP_KEYS, "paths", "discard-paths", "preTest"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
SPECS = st.fixed_dictionaries(
    {"version": st.just(1)}, optional={"env": TREES, "frontend": TREES, "applications": TREES}
)


@settings(deadline=None)
@given(
    text=st.text() | TREES.map(yaml.safe_dump) | SPECS.map(yaml.safe_dump),
    root=st.none() | st.just("a") | st.text(),
)
def test_whatever_the_text_nothing_but_our_error_leaves(text: str, root: str | None) -> None:
    try:
        result = parse(text, root)
    except BuildSpecError:
        return
    assert result.sections


NAMES = st.text("abcXYZ_-./ *\"'$", min_size=1, max_size=12).filter(lambda text: ".." not in text)


@settings(deadline=None)
@given(
    commands=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), max_size=4),
    directory=st.lists(st.text("abc", min_size=1), max_size=3).map("/".join),
    variables=st.dictionaries(st.text("ABC_", min_size=1), NAMES),
)
def test_what_is_written_is_what_is_read(commands: list[str], directory: str, variables: dict[str, str]) -> None:
    document = {
        "version": 1,
        "env": {"variables": variables},
        "frontend": {"phases": {"build": {"commands": commands}}, "artifacts": {"baseDirectory": directory}},
    }
    # JSON is YAML, and says every text the way that any reader takes it.
    result = parse(
        yaml.safe_dump(document, default_style='"', width=10**6).replace('"version": !!int "1"', "version: 1")
    )
    assert result.sections[0].phases == (("build", tuple(commands)),)
    assert result.sections[0].artifacts == Artifacts(directory, ("**/*",))
    assert result.variables == variables
