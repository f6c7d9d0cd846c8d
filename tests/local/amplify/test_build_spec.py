"""The build spec's parser: documented forms, named faults, and nothing but its own error."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from local.amplify.build_spec import Artifacts, BuildSpec, BuildSpecError, Section, parse

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
        ("apps/one", "make one", "apps/one", Artifacts("out", ("**/*",)), {"A": "top", "B": "one"}),
        ("apps/two", "make two", "", Artifacts("apps/two/out", ("index.html",), True), {"A": "top", "B": "top"}),
        ("/apps/two/", "make two", "", Artifacts("apps/two/out", ("index.html",), True), {"A": "top", "B": "top"}),
        ("./apps/one", "make one", "apps/one", Artifacts("out", ("**/*",)), {"A": "top", "B": "one"}),
    ],
)
def test_a_monorepos_application_is_chosen_by_its_root(
    root: str, command: str, build_path: str, artifacts: Artifacts, variables: dict[str, str]
) -> None:
    spec = parse(MONOREPO, root)
    (section,) = spec.sections
    assert (section.phases, section.build_path) == ((("build", (command,)),), build_path)
    assert (section.artifacts, spec.variables) == (artifacts, variables)


def test_what_does_nothing_is_named() -> None:
    text = """
version: 1
customHeaders: []
frontend:
  phases: {prebuild: {commands: [npm ci]}, build: {commands: [make]}}
  artifact: {}
  artifacts: {baseDirectory: dist}
"""
    starts = [line.partition(" ")[0] for line in parse(text).ignored]
    assert starts == ["customHeaders", "frontend.artifact", "frontend.phases.prebuild"]


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
        ("frontend: {}", None, "version: must be 1, not nothing"),
        ("version: 2", None, "version: must be 1, not '2'"),
        ("version: 1", None, "frontend: is missing"),
        (spec("phases: {}"), None, "The artifacts key was not provided in the build spec: frontend.artifacts"),
        (spec("artifacts: {files: []}"), None, "frontend.artifacts.baseDirectory: is missing"),
        (spec("artifacts: {baseDirectory: ../x}"), None, "frontend.artifacts.baseDirectory: '../x' leaves"),
        (spec("artifacts: {baseDirectory: [x]}"), None, "frontend.artifacts.baseDirectory: must be the path"),
        (
            spec("artifacts: {baseDirectory: x, discard-paths: perhaps}"),
            None,
            "frontend.artifacts.discard-paths: must be",
        ),
        (spec("artifacts: {baseDirectory: x, files: dist}"), None, "frontend.artifacts.files: must be a list"),
        (spec("buildPath: a/../..\n  artifacts: {baseDirectory: x}"), None, "frontend.buildPath: 'a/../..' leaves"),
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
            "frontend.phases.build.commands: must be a list, not 'make'",
        ),
        (
            "version: 1\nfrontend:\n  phases:\n    build:\n      commands:\n        - make\n        - echo one: two\n"
            "  artifacts: {baseDirectory: x}\n",
            None,
            "frontend.phases.build.commands[2]: YAML reads this as a mapping because of its colon; put it in quotes",
        ),
        ("version: 1\nenv: {variables: {A: [1]}}", None, "env.variables.A: must be text, not a list"),
        ("version: 1\nenv: {variables: {'A=B': c}}", None, "env.variables: 'A=B' can't be the name"),
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
        found = parse(text, root)
    except BuildSpecError:
        return
    assert found.sections


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
    found = parse(
        yaml.safe_dump(document, default_style='"', width=10**6).replace('"version": !!int "1"', "version: 1")
    )
    assert found.sections[0].phases == (("build", tuple(commands)),)
    assert found.sections[0].artifacts == Artifacts(directory, ("**/*",))
    assert found.variables == variables
