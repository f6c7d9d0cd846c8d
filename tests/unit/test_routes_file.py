"""routes.yaml: what is read from it, and that every fault is named with its place and what would be right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import InvalidRoutes
from amplify_jobs.routes import Routes
from amplify_jobs.routes_file import read_routes

EXAMPLE = Path(__file__).parents[2] / "routes.yaml"
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
    with pytest.raises(InvalidRoutes) as invalid:
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


# In GOOD, what is written instead, and the faults of that in full.
FAULTS: list[tuple[str, str, list[str]]] = [
    ("provider: github", "provider: githob", ["2:22: sources.github.provider: unknown provider 'githob'; use github"]),
    (
        "/amplify-jobs/secrets/github",
        "/elsewhere/github",
        [
            "2:40: sources.github.secrets.0: this is not the name of an SSM parameter that the stack can read; put the secret into SSM, and write its name here, like /amplify-jobs/secrets/github"
        ],
    ),
    (
        "[/amplify-jobs/secrets/github]",
        "[]",
        [
            "2:30: sources.github.secrets: is empty; use a list of the names of SSM parameters, like [/amplify-jobs/secrets/github]"
        ],
    ),
    (
        "  github:",
        "  Git_Hub:",
        [
            "2:3: sources.Git_Hub: is not a usable name; use small letters, digits and single hyphens, at most 40 characters, like git-hub"
        ],
    ),
    (
        "  web:",
        "  wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww:",
        [
            "4:3: routes.wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww: is not a usable name; use small letters, digits and single hyphens, at most 40 characters, like wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
        ],
    ),
    (
        "repository: acme/web, ",
        "",
        [
            "5:12: routes.web.when.push.repository: is missing; use the repository's full name, like acme/web, or a pattern, like acme/*"
        ],
    ),
    (
        "acme/web",
        "acme",
        [
            "5:31: routes.web.when.push.repository: 'acme' lacks the owner; use the repository's full name, like acme/web, or a pattern, like acme/*; CodeCommit's names need source: aws.codecommit in the route"
        ],
    ),
    (
        "acme/web",
        "acme/ ",
        [
            "5:31: routes.web.when.push.repository: this is an address or a path, not the repository's full name; use the repository's full name, like acme/web, or a pattern, like acme/*"
        ],
    ),
    ("branches:", "brances:", ["5:41: routes.web.when.push.brances: unknown member brances; use branches"]),
    (
        "release/*",
        "release/?",
        [
            "5:58: routes.web.when.push.branches.1: ? in 'release/?' means nothing there, and no name has one; use ? after a character that may be missing, and [0-9] for one digit"
        ],
    ),
    (
        'main, "release/*"',
        '"!main"',
        [
            "5:41: routes.web.when.push.branches: all patterns begin with !, so nothing can match; use one without ! before them, like '**'"
        ],
    ),
    (
        "branches: [main",
        "paths: [a, !b",
        [
            '5:52: routes.web.when.push.paths.1: an unquoted ! begins a tag in YAML; put the text in quotes, like "!docs/**"'
        ],
    ),
    (
        "branches: [main",
        'tags: ["v[9-0]"',
        ["5:48: routes.web.when.push.tags.0: 'v[9-0]' has a range that runs backwards; use one like [0-9]"],
    ),
    (
        "branches: [main",
        'authors: [""',
        ["5:51: routes.web.when.push.authors.0: an empty pattern fits nothing; use a text like *[deploy]*"],
    ),
    (
        "[main,",
        "[on,",
        ['5:52: routes.web.when.push.branches.0: YAML reads on as true or false; put it in quotes, "on"'],
    ),
    ("{push: {", "{pull: {", ["5:12: routes.web.when.pull: unknown member pull; use pull_request"]),
    (
        "}}",
        "}, request: {}}",
        [
            "5:5: routes.web.when: has 2 events; use exactly one of push, pull_request, release, schedule, object, request, and a route for each other event"
        ],
    ),
    (
        "{push: {",
        "{schedule: {",
        [
            '5:12: routes.web.when.schedule.expression: is missing; use a schedule, like "cron(0 3 * * ? *)", "rate(12 hours)" or "at(2026-12-31T23:59:00)"',
            "5:23: routes.web.when.schedule.repository: unknown member repository; it is a member of push, write it there",
            "5:45: routes.web.when.schedule.branches: unknown member branches; it is a member of push, write it there",
        ],
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{pull_request: {repository: acme/web, actions: [merge]}}",
        ["5:59: routes.web.when.pull_request.actions.0: unknown value 'merge'; use merged"],
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        '{schedule: {expression: "cron(0 3 * * * *)"}}',
        [
            "5:35: routes.web.when.schedule.expression: of day of month and day of week cron wants one to be ?, and not both; use 0 3 * * ? *"
        ],
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{schedule: {expression: rate(1 day), timezone: Europe/Berlni}}",
        [
            "5:58: routes.web.when.schedule.timezone: unknown time zone 'Europe/Berlni'; use Europe/Berlin",
            "10:21: routes.web.request.parameters.branchName: unknown value {branch} of a schedule; use {scheduledTime}",
        ],
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{schedule: {expression: rate(1 day)}}",
        ["10:21: routes.web.request.parameters.branchName: unknown value {branch} of a schedule; use {scheduledTime}"],
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{request: {}}",
        ["10:21: routes.web.request.parameters.branchName: a request has no values like {branch}; leave it out"],
    ),
    (
        "branches: [main, ",
        "tags: [v1, ",
        [
            "10:21: routes.web.request.parameters.branchName: unknown value {branch} of a tag; use one of {tag}, {ref}, {repository}, {commit}, {message}, {author}"
        ],
    ),
    (
        "    timeoutMinutes: 45",
        "    source: gitlab",
        ["12:13: routes.web.source: there is no source 'gitlab'; use one of github, aws.codecommit"],
    ),
    (
        "    timeoutMinutes: 45",
        "    retry: 6",
        ["12:12: routes.web.retry: 6 is too high; use a whole number of new starts from 0 to 5"],
    ),
    (
        "    timeoutMinutes: 45",
        "    onTimeout: kill",
        ["12:16: routes.web.onTimeout: unknown value 'kill'; use one of stop, leave"],
    ),
    (
        "    timeoutMinutes: 45",
        "    supersede: 1",
        ["12:16: routes.web.supersede: 1 is not true or false; use true or false"],
    ),
    (
        "start_job",
        "stop_job",
        [
            "7:18: routes.web.request.operation: unknown value 'stop_job'; use one of start_job, start_deployment, start_codegen_job, generate_backend_api_models"
        ],
    ),
    (
        "d1a2b3c4d5e6",
        "x1",
        [
            "9:16: routes.web.request.parameters.appId: 'x1' has the wrong form; use the app's id as Amplify shows it: d, then small letters and digits, at most 20, like d1a2b3c4d5e6"
        ],
    ),
    (
        "d1a2b3c4d5e6",
        "ddddddddddddddddddddd",
        [
            "9:16: routes.web.request.parameters.appId: has more than 20 characters; use the app's id as Amplify shows it: d, then small letters and digits, at most 20, like d1a2b3c4d5e6"
        ],
    ),
    (
        "        appId: d1a2b3c4d5e6\n",
        "",
        [
            "8:7: routes.web.request.parameters.appId: is missing; use the app's id as Amplify shows it: d, then small letters and digits, at most 20, like d1a2b3c4d5e6"
        ],
    ),
    ("appId:", "app_id:", ["9:9: routes.web.request.parameters.app_id: unknown member app_id; use appId"]),
    (
        "{branch}",
        "{brnch}",
        ["10:21: routes.web.request.parameters.branchName: unknown value {brnch} of a push; use {branch}"],
    ),
    ("RELEASE", "RELEAS", ["11:18: routes.web.request.parameters.jobType: unknown value 'RELEAS'; use RELEASE"]),
    (
        "RELEASE",
        "RETRY",
        ["8:7: routes.web.request.parameters: jobId is required when jobType is RETRY: name the job to run again"],
    ),
    (
        "RELEASE",
        "RETRY\n        jobId: 12",
        ['12:16: routes.web.request.parameters.jobId: YAML reads 12 as a number; put it in quotes, "12"'],
    ),
    ("45", "0", ["12:21: routes.web.timeoutMinutes: 0 is too low; use a whole number of minutes from 1 to 1440"]),
    (
        "45",
        "yes",
        ["12:21: routes.web.timeoutMinutes: true is not a whole number; use a whole number of minutes from 1 to 1440"],
    ),
    (
        "timeoutMinutes",
        "timeoutMinute",
        ["12:5: routes.web.timeoutMinute: unknown member timeoutMinute; use timeoutMinutes"],
    ),
    (
        "timeoutMinutes: 45",
        "when: {}",
        ["12:5: routes.web.when: when is there twice, first in line 5; keep one of the two"],
    ),
    ("timeoutMinutes: 45", "on: 1", ["12:5: routes.web.on: unknown member on; use when"]),
    ("routes:\n", "route:\n", ["3:1: route: unknown member route; use routes"]),
    (
        "[main, ",
        "[main, [",
        ['5:71: the list that begins in line 5, column 51 is not closed; write "," or "]" before this'],
    ),
    (
        "  web:\n",
        "  web: x\n",
        ['5:9: a second ":" is in the text, or the line is indented too deep; use quotes, or the indentation above'],
    ),
]


@pytest.mark.parametrize(("good", "bad", "expected"), FAULTS)
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
    found: list[str] = []
    try:
        read_routes(content, "routes.yaml", "amplify-jobs")
    except InvalidRoutes as invalid:
        found = invalid.faults
    assert [fault for fault in found if not fault.startswith("routes.yaml:")] == []


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
    ("operation", "parameters", "more", "said"),
    [
        (
            "start_codegen_job",
            CODEGEN.format(react="{script: coffee}"),
            "",
            "routes.forms.request.parameters.codegenJobToCreate.renderConfig.react.script: unknown value 'coffee'; use one of jsx, tsx, js",
        ),
        (
            "start_codegen_job",
            CODEGEN.format(react="{}"),
            "    supersede: true\n    onTimeout: stop\n",
            "9:5: routes.forms.supersede: no API stops a job of start_codegen_job; leave it out",
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
            "8:7: routes.forms.request.parameters: exactly one of these must be given, not 0: jobId, sourceUrl, artifact",
        ),
    ],
    ids=["member", "stop", "value", "source"],
)
def test_what_any_operation_would_refuse_is_named(operation: str, parameters: str, more: str, said: str) -> None:
    with pytest.raises(InvalidRoutes) as caught:
        read_routes(routes_of(operation, parameters, more), "routes.yaml", "amplify-jobs")
    assert any(said in line for line in caught.value.faults), caught.value.faults
