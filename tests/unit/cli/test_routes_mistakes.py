"""Mistakes in routes.yaml: each has one true text, and no mistake, however odd, has a traceback or tells a secret."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs_cli.routes_file.load import CheckedRoutes, Finding, check_routes

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SECRET = "hunter2supersecret"


def check(text: str) -> CheckedRoutes:
    return check_routes(text.encode(), "amplify-jobs", NOW)


def findings(text: str) -> tuple[Finding, ...]:
    checked = check(text)
    return (*checked.faults, *checked.warnings)


def mistakes() -> Iterator[Any]:
    """The blocks of routes_mistakes.txt: a name, a file, and what is said of it in full."""
    for block in (Path(__file__).parent / "routes_mistakes.txt").read_text().removeprefix("### ").split("\n### "):
        name, _, rest = block.partition("\n")
        text, _, message = rest.partition("=== says\n")
        yield pytest.param(text, message.strip("\n"), id=name)


@pytest.mark.parametrize(("text", "message"), list(mistakes()))
def test_each_mistake_has_its_text(text: str, message: str) -> None:
    assert "\n".join(finding.text("routes.yaml") for finding in findings(text)) == message


@pytest.mark.parametrize(("text", "message"), list(mistakes()))
def test_each_mistake_is_told_alone_with_what_to_write_instead(text: str, message: str) -> None:
    result = findings(text)
    assert result
    assert len({(finding.line, finding.column) for finding in result}) == len(result), message
    assert [finding.message for finding in result if "; " not in finding.message] == []


FILE = f"""\
# A comment.
defaults: {{retry: 1}}
sources:
  github: {{provider: github, secrets: [/amplify-jobs/secrets/github, /amplify-jobs/secrets/{SECRET}]}}
  cms:
    provider: standard
    secrets:
      - /amplify-jobs/secrets/cms
routes:
  web:
    source: github
    when: {{push: {{repository: acme/web, branches: [main, "release/*"], paths: ["apps/**", "!**.md"]}}}}
    request: &request
      operation: start_job
      parameters:
        appId: d1a2b3c4d5e6
        branchName: "{{branch}}"
        jobType: RELEASE
    timeoutMinutes: 45
    onTimeout: stop
    supersede: true
  preview:
    source: github
    when:
      pull_request:
        repository: "acme/*"
        actions: [opened, synchronize]
        targets: main
        forks: false
    request: *request
  nightly:
    when: {{schedule: {{expression: "cron(0 3 * * ? *)", timezone: Europe/Berlin}}}}
    request: {{operation: start_job, parameters: {{appId: d1, branchName: main, jobType: RELEASE}}}}
  apps:
    matrix: {{app: {{shop: {{appId: d1shop}}, admin: {{appId: d1admin}}}}}}
    source: cms
    when: {{request: {{}}}}
    request: {{operation: start_job, parameters: {{appId: "{{matrix.app.appId}}", branchName: main, jobType: RELEASE}}}}
  zip:
    when: {{object: {{bucket: artifacts, prefix: web/, suffix: .zip}}}}
    request:
      operation: start_deployment
      parameters: {{appId: d1, branchName: main, artifact: "s3://{{bucket}}/{{key}}"}}
"""
# pydantic's and PyYAML's own words.
FOREIGN = re.compile(
    r"Input |should be|default factory|validated data|valid (?:array|string|integer|boolean|dictionary|enum)|pydantic|"
    r"less than|greater than|Extra inputs|Field required|at (?:least|most) \d+ items?\b|String should|"
    r"expected |found '|scalar|mapping|token|stream|while (?:scanning|parsing)|alphabetic|\bNone\b|tag:yaml"
)


def assert_told_well(text: str, secrets: tuple[str, ...] = ()) -> None:
    """Whatever a file holds, what is said of it is in our words, lies inside the file, and repeats no secret."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text.removeprefix("\ufeff"))
    for finding in findings(text):
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= max(1, len(lines[finding.line - 1]))
        # What the file itself says is quoted, and may be anything.
        own = re.sub(r"'[^']*'|\"[^\"]*\"|\S*\{[^{}]*\}\S*", "", finding.message)
        foreign = FOREIGN.search(own)
        assert foreign is None or foreign[0] in text, finding.message
        shown = finding.text("routes.yaml")
        assert shown.count("\n") in (0, 2)
        assert all(character.isprintable() or character == "\n" for character in shown)
        for secret in secrets:
            assert secret not in shown
            assert secret not in str(finding.as_json())


def test_the_file_that_is_broken_below_is_right() -> None:
    checked = check(FILE)
    assert (checked.faults, checked.warnings) == ((), ())
    assert checked.routes is not None
    push = checked.routes.routes["preview"].when.pull_request
    assert push is not None
    assert push.targets == ("main",)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from nodes(item, (*path, key))


VALUE = yaml.safe_load(FILE)
NODES = list(nodes(VALUE))
OTHER = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [[], {}, [[]], {"a": 1}, "main", ["x", 1], "{brnch}", "${{ x }}", "\ud800", "\x1b[31m", "9" * 5000]
    )
)


def change(draw: st.DrawFn, value: Any) -> None:
    """Delete, duplicate, misspell or retype one node."""
    path = draw(st.sampled_from(NODES))
    around = value
    for part in path[:-1]:
        try:
            around = around[part]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    if not isinstance(around, dict | list) or (isinstance(around, dict) and last not in around):
        return
    if isinstance(around, list) and not (isinstance(last, int) and last < len(around)):
        return
    match draw(st.sampled_from(["delete", "misspell", "retype", "list", "move"])):
        case "delete":
            del around[last]
        case "misspell" if isinstance(around, dict):
            index = draw(st.integers(0, len(last)))
            around[last[:index] + draw(st.sampled_from("xs_- A")) + last[index + 1 :]] = around.pop(last)
        case "list":
            around[last] = [around[last], around[last]]
        case "move":
            value[str(last)] = copy.deepcopy(around[last])
        case _:
            around[last] = draw(OTHER)


@st.composite
def changed_files(draw: st.DrawFn) -> str:
    value = copy.deepcopy(VALUE)
    for _ in range(draw(st.integers(1, 3))):
        change(draw, value)
    flow = draw(st.sampled_from([True, False, None]))
    return yaml.safe_dump(value, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=1000)


@given(changed_files())
def test_any_change_of_a_node_is_told_well(text: str) -> None:
    assert_told_well(text)


SIGNS = [
    "",
    "\n",
    "\t",
    " ",
    "  ",
    "!",
    "*",
    "&",
    "%",
    "@",
    "`",
    "'",
    '"',
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
]
SIGNS += [
    "|",
    ">",
    "?",
    "---\n",
    "\\",
    "<<: ",
    "\x00",
    "\r",
    "\u2028",
    "\ufeff",
    "é",
    "😀",
    "on",
    "!!int ",
    "&a ",
    "*a ",
]


@st.composite
def broken_files(draw: st.DrawFn) -> str:
    text = FILE
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(text)))
        end = draw(st.integers(begin, min(len(text), begin + draw(st.sampled_from([0, 1, 5, 80])))))
        text = text[:begin] + draw(st.sampled_from(SIGNS)) + text[end:]
    return text


@given(broken_files())
def test_any_break_of_the_text_is_told_well(text: str) -> None:
    assert_told_well(text)


REPORTS = """\
sources: {github: {provider: github, secrets: [/amplify-jobs/secrets/github]}}
reports:
  status: {kind: commit_status, source: github, token: /amplify-jobs/secrets/token}
routes:
  web:
    when: {push: {repository: acme/web}}
    request: {operation: start_job, parameters: {appId: d1, branchName: "{branch}", jobType: RELEASE}}
"""


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (
            "kind: commit_status",
            "kind: commit_statu",
            "reports.status.kind: unknown value 'commit_statu'; use commit_status",
        ),
        (
            "kind: commit_status, ",
            "",
            "reports.status.kind: is missing; use one of commit_status, pull_request_comment, deployment",
        ),
        ("token:", "tokn:", "reports.status.tokn: unknown member tokn; use token"),
        (", token: /amplify-jobs/secrets/token", "", "reports.status.token: is missing; use the name of"),
        (
            "token: /amplify-jobs/secrets/token",
            f"token: {SECRET}",
            "reports.status.token: this is not the name of an SSM parameter that the stack can read; put the token",
        ),
    ],
)
def test_a_member_of_a_target_has_the_text_of_its_kind(good: str, bad: str, expected: str) -> None:
    assert good in REPORTS
    (finding,) = findings(REPORTS.replace(good, bad, 1))
    assert f"{finding.path}: {finding.message}".startswith(expected)
    assert SECRET not in finding.text("routes.yaml")


# ---------------------------------------------------------------- secrets

# A secret where a name belongs, with characters of all that hosts and people make, and never a name of SSM's.
SECRETS = st.from_regex(r"[A-Za-z0-9+=_.$^!@%*-]{6,40}", fullmatch=True).map("s3cr3t-{}".format) | st.sampled_from(
    [
        SECRET,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "/AbC+d/ef==",
        "a b-c d",
    ]
)
PLACES = [
    "secrets: [{}]",
    "secrets: {}",
    "secrets: ['{}']",
    'secrets: [/amplify-jobs/secrets/github, "{}"]',
    "secrets: {{name: {}}}",
    "secrets: {{{}: x}}",
    "secrets: [[{}]]",
    "secret: {}",
    "secrts: [{}]",
    "token: {}",
    "Secrets: [{}]",
    "secrets: [{}], secrets: [{}]",
    "secrets: [{}",
    "secrets: [&a {}], x: *a",
    "secrets: [!{}]",
    "{}: x",
    "secrets: /amplify-jobs/secrets/github, {}: []",
    "secrets: >\n      {}\n",
    "secrets: [{}]] # {}",
]


@given(
    SECRETS, st.sampled_from(PLACES), st.booleans(), st.sampled_from(["", "\n x: [", "\nroutes: @", "\n\t- x", "\n: :"])
)
def test_a_secret_in_the_place_of_its_name_is_never_repeated(secret: str, place: str, flow: bool, broken: str) -> None:
    source = place.format(*[secret] * place.count("{}"))
    sources = f"  github: {{provider: github, {source}}}" if flow else f"  github:\n    provider: github\n    {source}"
    text = f"sources:\n{sources}\nroutes:\n  web:\n    when: {{push: {{repository: acme}}}}\n    request: 1{broken}\n"
    assert_told_well(text, (secret,))
    assert_told_well(text.replace("sources:\n", "source:\n", 1), (secret,))
    assert_told_well(f"{{sources: {{github: {{provider: github, {source}}}}}, routes: {{web: 1}}}}{broken}", (secret,))


@pytest.mark.parametrize("member", ["'0'", "webhooks", "Sources", "x", "on", "{a: b}"])
@pytest.mark.parametrize(
    "value", ["s3cr3t-0f-hunter2", "[s3cr3t-0f-hunter2/amplify-jobs/secrets/cms]", "{a: {b: s3cr3t-0f-hunter2}}"]
)
@pytest.mark.parametrize("broken", ["", "routes: @\n"])
def test_a_secret_is_not_repeated_below_any_member_at_the_top(member: str, value: str, broken: str) -> None:
    assert_told_well(f"{member}: {value}\nroutes: {{}}\n{broken}", ("s3cr3t-0f-hunter2",))
    assert_told_well(f"{{routes: {{}}, {member}: {value}}}\n", ("s3cr3t-0f-hunter2",))


@given(SECRETS)
def test_a_secret_is_not_repeated_where_else_it_is(secret: str) -> None:
    quoted = f'"{secret}"'
    routes = f"routes:\n  web:\n    source: {quoted}\n    when: {{push: {{repository: {quoted}, {quoted}: 1}}}}\n"
    parameters = f"    request: {{operation: {quoted}, parameters: {{appId: {quoted}}}}}\n"
    text = f"sources:\n  github: {{provider: github, secrets: [{quoted}]}}\n{routes}{parameters}"
    assert_told_well(text, (secret,))


@given(changed_files(), st.sampled_from(["github", "cms"]), st.booleans())
def test_a_secret_is_not_repeated_beside_any_other_mistake(text: str, source: str, whole: bool) -> None:
    name = f"/amplify-jobs/secrets/{'cms' if source == 'cms' else 'github'}"
    changed = text.replace(name, "s3cr3t-0f-hunter2" if whole else f"s3cr3t-0f-hunter2{name}", 1)
    assert_told_well(changed, ("s3cr3t-0f-hunter2",))
