"""routes.yaml: what is read from it, and that every fault is named with its place and what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import InvalidRoutesError
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.load import read_routes

EXAMPLE = Path(__file__).parents[3] / "routes.yaml"
GOOD = """\
sources:
  github: {provider: github, secrets: [/amplify-jobs/secrets/github]}
routes:
  web:
    when: {push: {repository: acme/web, branches: [main, "release/*"]}}
    request:
      operation: start_job
      parameters:
        appId: d1a2b3c4d5e6
        branchName: "{branch}"
        jobType: RELEASE
    timeoutMinutes: 45
"""


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidRoutesError) as invalid:
        read_routes(text.encode() if isinstance(text, str) else text, "routes.yaml", "amplify-jobs")
    return invalid.value.faults


def headlines(text: str | bytes) -> list[str]:
    """The first line of each fault; the line of the file and its mark are below."""
    return [fault.splitlines()[0] for fault in faults(text)]


def test_the_example_has_no_faults() -> None:
    routes = read_routes(EXAMPLE.read_bytes(), "routes.yaml", "amplify-jobs")
    assert routes.sources["github"].secrets == ("/amplify-jobs/secrets/github",)
    assert routes.routes["web"].timeout_minutes == 45
    assert routes.routes["web"].start_within_minutes == 360


def test_what_is_pushed_is_read_back_the_same() -> None:
    routes = read_routes(GOOD.encode(), "routes.yaml", "amplify-jobs")
    assert Routes.model_validate_json(routes.model_dump_json(by_alias=True)) == routes


def changes_and_faults() -> Iterator[tuple[str, str, list[str]]]:
    """What of GOOD is replaced by what, and the faults of that: the blocks of routes_faults.txt."""
    for block in (Path(__file__).parent / "routes_faults.txt").read_text().strip().split("\n\n"):
        good, bad, *expected = block.splitlines()
        yield json.loads(good.removeprefix("- ")), json.loads(bad.removeprefix("+ ")), expected


@pytest.mark.parametrize(("good", "bad", "expected"), list(changes_and_faults()))
def test_a_fault_is_named_with_place_member_and_what_to_write_instead(good: str, bad: str, expected: list[str]) -> None:
    assert good in GOOD
    assert headlines(GOOD.replace(good, bad, 1)) == [f"routes.yaml:{fault}" for fault in expected]


def test_all_faults_are_named_at_once_in_the_order_of_the_file() -> None:
    broken = GOOD.replace("githu", "githo").replace("acme/web", "acme").replace("d1a2b3c4d5e6", "x").replace("45", "0")
    lines = [int(fault.split(":")[1]) for fault in faults(broken)]
    assert lines == sorted(lines)
    assert set(lines) == {2, 5, 9, 12}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "routes.yaml:1:1: the file is empty; use"),
        (b"- a\n", "routes.yaml:1:1: the file holds a list, not an object; use"),
        (b"a: 1\nb: \xff\n", "routes.yaml:2:1: the file is not UTF-8; save"),
        (b"a: \x00", "routes.yaml:1:4: the character U+0000 can't stand in YAML; remove"),
        (b"--- {}\n--- {}\n", "routes.yaml:2:1: a second document begins; keep one"),
        (b"a: &a [*a]", "routes.yaml:1:4: the file refers to itself, or is nested too deep or too large"),
        (b"[" * 1000, "routes.yaml:1:1: the file refers to itself, or is nested too deep or too large"),
        (b"{}", "routes.yaml:1:1: routes: is missing; use a route for each rule"),
    ],
)
def test_what_is_no_routes_file_at_all(content: bytes, expected: str) -> None:
    assert faults(content)[0].startswith(expected)


GOOD_CONDITIONS = [
    'push: {repository: "acme/*", tags: ["v[0-9]+.[0-9]+.[0-9]+", "!v*-rc?"]}',
    'push: {repository: acme/mono, paths: ["apps/web/**", "!**/*.md"], authors: ["*", "!*[bot]"], messages: ["*x*"]}',
    "pull_request: {repository: acme/web, actions: [opened, merged], targets: [main], forks: true}",
    "release: {repository: acme/web, actions: [published], tags: [v*]}",
    'schedule: {expression: "cron(0/15 8-18 ? * MON-FRI 2026,2027)", timezone: Europe/Berlin}',
    'schedule: {expression: "at(2026-12-31T23:59:00)"}',
    "object: {bucket: artifacts, prefix: web/, suffix: .zip}",
    "request: {}",
]


@pytest.mark.parametrize("condition", GOOD_CONDITIONS)
def test_every_condition_is_read(condition: str) -> None:
    text = re.sub("when: .*", f"when: {{{condition}}}", GOOD).replace('"{branch}"', "main")
    (route,) = read_routes(text.encode(), "routes.yaml", "amplify-jobs").routes.values()
    assert (
        Routes.model_validate_json(Routes(routes={"web": route}).model_dump_json(by_alias=True)).routes["web"] == route
    )


def test_a_name_without_owner_is_codecommits() -> None:
    text = GOOD.replace("acme/web", "web").replace("  web:\n", "  web:\n    source: aws.codecommit\n")
    assert read_routes(text.encode(), "routes.yaml", "amplify-jobs").routes["web"].source == "aws.codecommit"


def test_a_placeholder_decides_only_later_what_a_constrained_parameter_is() -> None:
    assert read_routes(GOOD.replace("d1a2b3c4d5e6", '"{branch}"').encode(), "routes.yaml", "amplify-jobs")


@given(st.binary() | st.text().map(str.encode) | st.from_regex(re.compile(r"[a{}\[\],:&*! \n-]*")).map(str.encode))
def test_any_file_is_read_or_its_faults_are_named(content: bytes) -> None:
    items: list[str] = []
    try:
        read_routes(content, "routes.yaml", "amplify-jobs")
    except InvalidRoutesError as invalid:
        items = invalid.faults
    assert [fault for fault in items if not fault.startswith("routes.yaml:")] == []


# ---------------------------------------------------------------- operations other than start_job


def routes_of(operation: str, parameters: str, more: str = "") -> bytes:
    return f"""\
sources:
  github: {{provider: github, secrets: [/amplify-jobs/secrets/github]}}
routes:
  forms:
    when: {{push: {{repository: acme/web}}}}
    request:
      operation: {operation}
      parameters: {parameters}
{more}""".encode()


CODEGEN = (
    "{{appId: d1a2b3c4d5e6, environmentName: '{{branch}}', codegenJobToCreate: {{renderConfig: {{react: {react}}}, "
    "graphqlSchema: 'type Post @model {{ id: ID! }} enum E {{A}}'}}}}"
)


@pytest.mark.parametrize(
    ("operation", "parameters", "minutes"),
    [
        ("start_codegen_job", CODEGEN.format(react="{}"), 10),
        ("generate_backend_api_models", "{AppId: d1, BackendEnvironmentName: '{branch}', ResourceName: blog}", 10),
        ("start_deployment", "{appId: d1, branchName: '{branch}', artifact: 's3://releases/{commit}.zip'}", 60),
    ],
)
def test_a_route_can_ask_for_any_operation(operation: str, parameters: str, minutes: int) -> None:
    routes = read_routes(routes_of(operation, parameters), "routes.yaml", "amplify-jobs")
    assert routes.routes["forms"].timeout_minutes == minutes
    assert routes.routes["forms"].request.operation == operation


@pytest.mark.parametrize(
    ("operation", "parameters", "more", "text"),
    [
        (
            "start_codegen_job",
            CODEGEN.format(react="{script: coffee}"),
            "",
            "renderConfig.react.script: unknown value 'coffee'; use one of jsx, tsx, js",
        ),
        (
            "start_codegen_job",
            CODEGEN.format(react="{}"),
            "    supersede: true\n    onTimeout: stop\n",
            "9:5: routes.forms.supersede: no API stops a job of start_codegen_job; leave it out",
        ),
        (
            "start_codegen_job",
            CODEGEN.format(react="{}"),
            "    retry: {times: 2, when: transient}\n",
            "9:23: routes.forms.retry.when: amplify-jobs reads no log of a job of start_codegen_job; use failed",
        ),
        (
            "generate_backend_api_models",
            "{AppId: d1, BackendEnvironmentName: '{tag}', ResourceName: blog}",
            "",
            "routes.forms.request.parameters.BackendEnvironmentName: unknown value {tag} of a push",
        ),
        (
            "start_deployment",
            "{appId: d1, branchName: main}",
            "",
            "8:7: routes.forms.request.parameters: exactly one of these is required, not 0: jobId, source",
        ),
    ],
    ids=["member", "stop", "retry", "value", "source"],
)
def test_what_any_operation_would_refuse_is_named(operation: str, parameters: str, more: str, text: str) -> None:
    with pytest.raises(InvalidRoutesError) as caught:
        read_routes(routes_of(operation, parameters, more), "routes.yaml", "amplify-jobs")
    assert any(text in line for line in caught.value.faults), caught.value.faults
