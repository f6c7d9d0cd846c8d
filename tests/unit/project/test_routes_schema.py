"""The JSON Schema of routes.yaml: an editor accepts with it what `routes check` accepts, and shows plain mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from jsonschema import Draft7Validator

from amplify_jobs.routing.routes import Routes
from tests.support.routes_and_events import ROUTES
from tools import write_schemas

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads(write_schemas.ROUTES_PATH.read_text(encoding="utf-8"))
VALIDATOR = Draft7Validator(SCHEMA)
FILES = [ROOT / "routes.yaml", ROOT / "events" / "routes.yaml"]
HOST_PAGES = [str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs" / "git-hosts").glob("*.md"))]
EXAMPLES = [
    *(pytest.param(file.read_text(), id=str(file.relative_to(ROOT))) for file in FILES),
    *(
        pytest.param(example, id=f"{name}-{number}")
        for name in ("docs/routes.md", "docs/git-hosts.md", "docs/mirrors.md", "README.md", *HOST_PAGES)
        for number, example in enumerate(re.findall(r"```yaml\n(.*?)```", (ROOT / name).read_text(), re.DOTALL))
    ),
]
GOOD = """\
sources:
  github: {provider: github, secrets: [/amplify-jobs/secrets/github]}
x-shared: &shared {supersede: true}
defaults:
  request: {operation: start_job, parameters: {jobType: RELEASE}}
routes:
  web:
    <<: *shared
    matrix: {app: {shop: {appId: d1shop, minutes: 5, paths: [a/**]}, admin: {appId: d1admin, minutes: 9, paths: b/**}}}
    when: {push: {repository: acme/web, branches: main, paths: "{matrix.app.paths}"}}
    request: {parameters: {appId: "{matrix.app.appId}", branchName: "{branch}"}}
    timeoutMinutes: "{matrix.app.minutes}"
"""


def places(text: str) -> list[str]:
    """Where the schema finds faults, in every alternative: an editor shows the one that is nearest."""
    errors = list(VALIDATOR.iter_errors(yaml.safe_load(text)))
    for error in errors:
        errors += error.context or ()
    return [".".join(map(str, error.absolute_path)) for error in errors]


def test_the_schema_is_one_and_that_of_the_models() -> None:
    Draft7Validator.check_schema(SCHEMA)
    written = write_schemas.ROUTES_PATH.read_text(encoding="utf-8")
    assert written == write_schemas.routes_text(), "run: .venv/bin/python -m tools.write_schemas"


@pytest.mark.parametrize("text", [*EXAMPLES, GOOD])
def test_examples_are_valid(text: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@given(ROUTES)
def test_all_that_the_models_take_is_valid(routes: Routes) -> None:
    # An app's id and the like are judged by the parameters' own models, which these routes do not meet.
    written: dict[str, Any] = json.loads(routes.model_dump_json(by_alias=True, exclude_none=True))
    for route in written["routes"].values():
        route["request"]["parameters"] |= {"branchName": "main", "jobType": "RELEASE"}
    assert [error.message for error in VALIDATOR.iter_errors(written)] == []


@pytest.mark.parametrize(
    ("good", "bad", "place"),
    [
        ("provider: github", "provider: githob", "sources.github.provider"),
        ("secrets: [/amplify-jobs/secrets/github]", "secrets: [s3cret]", "sources.github.secrets"),
        ("branches: main", "branchs: main", "routes.web.when.push"),
        ("branches: main", "branches: 5", "routes.web.when.push.branches"),
        ("repository: acme/web", "repository: /acme", "routes.web.when.push.repository"),
        ("when: {push: {", "when: {request: {}, push: {", "routes.web.when"),
        ("operation: start_job", "operation: start_jobs", "defaults.request.operation"),
        ("jobType: RELEASE", "jobType: RELEAS", "defaults.request.parameters.jobType"),
        ('timeoutMinutes: "{matrix.app.minutes}"', "timeoutMinutes: 0", "routes.web.timeoutMinutes"),
        ('timeoutMinutes: "{matrix.app.minutes}"', 'timeoutMinutes: "{branch}"', "routes.web.timeoutMinutes"),
        ("supersede: true", "supersede: maybe", "routes.web.supersede"),
        ("matrix: {app: {", "matrix: {include: {", "routes.web.matrix"),
        ("  web:", "  Web_1:", "routes"),
        ("defaults:", "default:", ""),
        ("x-shared: &shared {supersede: true}", "shared: &shared {supersede: true}", ""),
    ],
)
def test_plain_mistakes_are_found_where_they_are(good: str, bad: str, place: str) -> None:
    assert good in GOOD
    assert place in places(GOOD.replace(good, bad, 1))


@pytest.mark.parametrize(
    ("left_out", "place"),
    [
        ("    when: {push: {repository: acme/web, branches: main}}\n", "routes.web"),
        ("repository: acme/web, ", "routes.web.when.push"),
        ("appId: d1, ", "routes.web.request.parameters"),
        ("operation: start_job, ", "routes.web.request"),
    ],
)
def test_without_defaults_what_is_required_must_be_there(left_out: str, place: str) -> None:
    text = (
        "routes:\n  web:\n    when: {push: {repository: acme/web, branches: main}}\n"
        "    request: {operation: start_job, parameters: {appId: d1, branchName: main, jobType: RELEASE}}\n"
    )
    assert places(text) == []
    assert place in places(text.replace(left_out, ""))
    assert places(text.replace(left_out, "") + "defaults: {}\n") == []


def test_a_member_called_required_stays_where_a_file_has_defaults() -> None:
    names = ("CodegenGenericDataField", "PartialCodegenGenericDataField")
    whole, partial = (SCHEMA["definitions"][name]["properties"] for name in names)
    assert "required" in whole
    assert partial.keys() == whole.keys()


def test_every_member_of_a_route_is_described() -> None:
    parts = ("Source", "Push", "PullRequests", "Releases", "Times", "Objects", "When", "RequestTemplate", "Route")
    members = [
        f"{part}.{name}"
        for part in parts
        for name, value in SCHEMA["definitions"][part]["properties"].items()
        if "description" not in value
    ]
    assert members == []
    assert all("description" in value for value in SCHEMA["properties"].values() if "$ref" not in value)


def test_the_openapi_document_is_the_one_that_the_api_makes() -> None:
    written = write_schemas.OPENAPI_PATH.read_text(encoding="utf-8")
    assert written == write_schemas.openapi_text(), "run: .venv/bin/python -m tools.write_schemas"
