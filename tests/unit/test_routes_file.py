"""routes.yaml: what is read from it, and that every fault is named with its place and what would be right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import InvalidRoutes
from amplify_jobs.routes import Routes
from amplify_jobs.routes_file import read_routes, unguarded

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


def test_the_example_has_no_faults() -> None:
    routes = read_routes(EXAMPLE.read_bytes(), "routes.yaml", "amplify-jobs")
    assert routes.sources["github"].secrets == ("/amplify-jobs/secrets/github",)
    assert routes.routes["web"].timeout_minutes == 45
    assert routes.routes["web"].start_within_minutes == 360


def test_what_is_pushed_is_read_back_the_same() -> None:
    routes = read_routes(GOOD.encode(), "routes.yaml", "amplify-jobs")
    assert Routes.model_validate_json(routes.model_dump_json(by_alias=True)) == routes


FAULTS = [
    ("provider: github", "provider: githob", "2: sources.github.provider: 'githob' is not known; use one of github"),
    (
        "/amplify-jobs/secrets/github",
        "/elsewhere/github",
        "2: sources.github.secrets.0: /elsewhere/github is not for stack amplify-jobs to read; use /amplify-jobs",
    ),
    (
        "[/amplify-jobs/secrets/github]",
        "[]",
        "2: sources.github.secrets: is empty; use a list of the names",
    ),
    ("  github:", "  Git_Hub:", "2: sources.Git_Hub: is not a usable name; use a name of small letters, digits"),
    ("  web:", f"  {'w' * 41}:", f"4: routes.{'w' * 41}: is not a usable name; use"),
    ("repository: acme/web, ", "", "5: routes.web.when.push.repository: is missing; use the repository's full name"),
    ("acme/web", "acme", "5: routes.web.when.push.repository: 'acme' lacks the owner; use the repository's full name"),
    ("acme/web", "acme/ ", "5: routes.web.when.push.repository: does not look right; use the repository's full name"),
    ("branches:", "brances:", "5: routes.web.when.push.brances: is not known here; use branches"),
    ("release/*", "release/?", "5: routes.web.when.push.branches.1: ? in 'release/?' means nothing there"),
    ('main, "release/*"', '"!main"', "5: routes.web.when.push.branches: patterns that only take back let nothing in"),
    ("branches: [main", "paths: [a, !b", "5: routes.web.when.push.paths.1: YAML takes !b"),
    ("branches: [main", 'tags: ["v[9-0]"', "5: routes.web.when.push.tags.0: 'v[9-0]' has a range that runs backwards"),
    ("branches: [main", 'authors: [""', "5: routes.web.when.push.authors.0: an empty pattern fits nothing"),
    ("[main,", "[on,", "5: routes.web.when.push.branches.0: should be a valid string; use a list of names"),
    ("{push: {", "{pull: {", "5: routes.web.when.pull: is not known here; use one of push, pull_request, release"),
    ("}}", "}, request: {}}", "5: routes.web.when: give exactly one of push, pull_request, release, schedule, object"),
    ("{push: {", "{schedule: {", "5: routes.web.when.schedule.expression: is missing; use a schedule, like"),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{pull_request: {repository: acme/web, actions: [merge]}}",
        "5: routes.web.when.pull_request.actions.0: should be 'opened', 'synchronize', 'reopened'",
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        '{schedule: {expression: "cron(0 3 * * * *)"}}',
        "5: routes.web.when.schedule.expression: of day of month and day of week cron wants one to be ?",
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{schedule: {expression: rate(1 day), timezone: Europe/Berlni}}",
        "5: routes.web.when.schedule.timezone: 'Europe/Berlni' is no time zone; use Europe/Berlin",
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{schedule: {expression: rate(1 day)}}",
        "10: routes.web.request.parameters.branchName: {branch} is nothing that a schedule has; use one of {sched",
    ),
    (
        '{push: {repository: acme/web, branches: [main, "release/*"]}}',
        "{request: {}}",
        "10: routes.web.request.parameters.branchName: {branch} is nothing that a request has; leave it out",
    ),
    (
        "branches: [main, ",
        "tags: [v1, ",
        "10: routes.web.request.parameters.branchName: {branch} is nothing that a tag has; use one of {tag}, {ref}",
    ),
    (
        "    timeoutMinutes: 45",
        "    source: gitlab",
        "12: routes.web.source: there is no source gitlab; use one of github, aws.codecommit",
    ),
    (
        "    timeoutMinutes: 45",
        "    retry: 6",
        "12: routes.web.retry: should be less than or equal to 5; use how often",
    ),
    (
        "    timeoutMinutes: 45",
        "    onTimeout: kill",
        "12: routes.web.onTimeout: should be 'stop' or 'leave'; use stop or",
    ),
    (
        "    timeoutMinutes: 45",
        "    supersede: 1",
        "12: routes.web.supersede: should be a valid boolean; use true or false",
    ),
    ("start_job", "stop_job", "7: routes.web.request.operation: should be 'start_job', 'start_deployment', 'start_co"),
    ("d1a2b3c4d5e6", "x1", "9: routes.web.request.parameters.appId: does not look right; use the app's id as"),
    ("d1a2b3c4d5e6", "d" * 21, "9: routes.web.request.parameters.appId: should have at most 20 characters; use"),
    ("        appId: d1a2b3c4d5e6\n", "", "8: routes.web.request.parameters.appId: is missing; use the app's id"),
    ("appId:", "app_id:", "9: routes.web.request.parameters.app_id: is not known here; use appId"),
    (
        "{branch}",
        "{brnch}",
        "10: routes.web.request.parameters.branchName: {brnch} is nothing that a push has; use one of {branch}, {ref}",
    ),
    ("RELEASE", "RELEAS", "11: routes.web.request.parameters.jobType: should be 'RELEASE', 'RETRY'"),
    ("RELEASE", "RETRY", "8: routes.web.request.parameters: jobId is required when jobType is RETRY: name the job"),
    (
        "RELEASE",
        "RETRY\n        jobId: 12",
        "12: routes.web.request.parameters.jobId: should be a valid string; use",
    ),
    ("45", "0", "12: routes.web.timeoutMinutes: should be greater than or equal to 1; use a whole number of minutes"),
    ("45", "yes", "12: routes.web.timeoutMinutes: should be a valid integer; use a whole number of minutes"),
    ("timeoutMinutes", "timeoutMinute", "12: routes.web.timeoutMinute: is not known here; use timeoutMinutes"),
    ("timeoutMinutes: 45", "when: {}", "5: routes.web.when: is there twice, again in line 12; keep one of the two"),
    ("timeoutMinutes: 45", "on: 1", "12: routes.web.True: YAML reads the name 'on' as no text; put it in quotes"),
    ("routes:\n", "route:\n", "3: route: is not known here; use routes"),
    ("[main, ", "[main, [", "5: is not YAML"),
    ("  web:\n", "  web: x\n", "5: is not YAML"),
]


@pytest.mark.parametrize(("good", "bad", "expected"), FAULTS)
def test_a_fault_is_named_with_line_field_and_what_would_be_right(good: str, bad: str, expected: str) -> None:
    assert good in GOOD
    found = faults(GOOD.replace(good, bad, 1))
    assert [fault for fault in found if fault.startswith(f"routes.yaml:{expected}")] != [], found


def test_all_faults_are_named_at_once_in_the_order_of_the_file() -> None:
    broken = GOOD.replace("githu", "githo").replace("acme/web", "acme").replace("d1a2b3c4d5e6", "x").replace("45", "0")
    lines = [int(fault.split(":")[1]) for fault in faults(broken)]
    assert lines == sorted(lines)
    assert set(lines) == {2, 5, 9, 12}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "routes.yaml:1: should be an object; use"),
        (b"\xff\xfe", "routes.yaml:1: is not UTF-8"),
        (b"a: \x00", "routes.yaml:1: is not YAML"),
        (b"--- {}\n--- {}\n", "routes.yaml:2: is not YAML"),
        (b"&a [*a]", "routes.yaml:1: refers to itself or is nested too deep"),
        (b"{}", "routes.yaml:1: routes: is missing; use a route for each rule"),
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


def test_several_sources_may_not_speak_for_a_repository_unnoticed() -> None:
    gitlab = "  gitlab: {provider: gitlab, secrets: [/amplify-jobs/secrets/gitlab]}\nroutes:"
    several = GOOD.replace("routes:", gitlab)
    named = several.replace("  web:\n", "  web:\n    source: gitlab\n")
    assert [unguarded(read_routes(text.encode(), "r", "amplify-jobs")) for text in (GOOD, several, named)] == [
        [],
        ["web"],
        [],
    ]


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
            "8: routes.forms.request.parameters.codegenJobToCreate.renderConfig.react.script: should be 'jsx'",
        ),
        (
            "start_codegen_job",
            CODEGEN.format(react="{}"),
            "    supersede: true\n    onTimeout: stop\n",
            "9: routes.forms.supersede: no API stops a job of start_codegen_job; leave it out",
        ),
        (
            "generate_backend_api_models",
            "{AppId: d1, BackendEnvironmentName: '{tag}', ResourceName: blog}",
            "",
            "8: routes.forms.request.parameters.BackendEnvironmentName: {tag} is nothing that a push has",
        ),
        (
            "start_deployment",
            "{appId: d1, branchName: main}",
            "",
            "8: routes.forms.request.parameters: exactly one of these must be given, not 0: jobId, sourceUrl, artifact",
        ),
    ],
    ids=["member", "stop", "value", "source"],
)
def test_what_any_operation_would_refuse_is_named(operation: str, parameters: str, more: str, said: str) -> None:
    with pytest.raises(InvalidRoutes) as caught:
        read_routes(routes_of(operation, parameters, more), "routes.yaml", "amplify-jobs")
    assert any(said in line for line in caught.value.faults), caught.value.faults
