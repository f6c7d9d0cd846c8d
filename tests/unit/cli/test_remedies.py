"""What messages say to write instead: it is on the models, each field has its own, and its examples are right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from amplify_jobs.model.operations import Operation
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.load import check_routes
from amplify_jobs_cli.routes_file.model_fields import description, examples, field_at, member_names, models_below
from amplify_jobs_cli.routes_file.remedies import flow, remedy

ROOTS: list[type[BaseModel]] = [Routes, *(operation.parameters_model() for operation in Operation)]


def members(depth: int | None = None) -> Iterator[Any]:
    """A model and the name of a member, for each member of each model."""
    for root in ROOTS:
        for place, model in models_below(root):
            if root is Routes or depth is None or len(place) < depth:
                for name in member_names(model):
                    yield pytest.param(model, name, id=".".join((root.__name__, *place, model.__name__, name)))


# The inner models of a codegen job are the API's, in its own names.
@pytest.mark.parametrize(("model", "name"), list(members(depth=1)))
def test_every_member_is_described(model: type[BaseModel], name: str) -> None:
    assert description(field_at(model, (name,)))


@pytest.mark.parametrize(("model", "name"), list(members()))
def test_every_example_is_right(model: type[BaseModel], name: str) -> None:
    field = field_at(model, (name,))
    kind: Any = Annotated[field.annotation, Field(), *field.metadata]
    adapter = TypeAdapter(kind)
    for example in examples(field):
        # An event fills placeholders in before a parameter is judged.
        value = re.sub(r"\{[^{}]+\}", "web", example) if isinstance(example, str) else example
        adapter.validate_python(value)


@pytest.mark.parametrize(("model", "name"), list(members()))
def test_a_remedy_fits_into_a_sentence(model: type[BaseModel], name: str) -> None:
    text = remedy(field_at(model, (name,)))
    assert text
    assert not text.endswith((".", ",", " "))
    assert "\n" not in text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            ("routes", "web", "when", "pull_request", "actions"),
            "a list of opened, synchronize, reopened, closed, merged, other",
        ),
        (
            ("routes", "web", "when", "release", "actions"),
            "the host's own words for what happens to the release, like [published]",
        ),
        (
            ("routes", "web", "when", "release", "tags"),
            'names or patterns of the release\'s tag, like ["v*", "!v*-rc*"]',
        ),
        (("routes", "web", "when", "push", "tags", 0), 'names or patterns of tags, like ["v*", "!v*-rc*"]'),
        (("routes", "web", "onTimeout"), "stop or leave"),
        (("routes", "web", "supersede"), "true or false"),
        (("routes", "web", "retry"), "a whole number from 0 to 5: how often a job that failed is started again"),
        (("sources", "cms", "allow", "apps", 0), remedy(field_at(Operation.START_JOB.parameters_model(), ("appId",)))),
        (
            ("sources", "cms"),
            "a source for each sender, by name, "
            "like {github: {provider: github, secrets: [/amplify-jobs/secrets/github]}}",
        ),
        (("version",), '"1", or leave it out'),
    ],
)
def test_a_member_has_the_remedy_of_its_own_model(path: tuple[str | int, ...], expected: str) -> None:
    assert remedy(field_at(Routes, path)) == expected


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        (Operation.START_JOB, ("jobId",), 'the number of the job that RETRY runs again, like "12"'),
        (Operation.START_DEPLOYMENT, ("jobId",), 'the number of the job that CreateDeployment made, like "12"'),
        (
            Operation.START_CODEGEN_JOB,
            ("codegenJobToCreate", "renderConfig", "react", "script"),
            "one of jsx, tsx, js",
        ),
        (Operation.START_CODEGEN_JOB, ("codegenJobToCreate", "tags"), "an object"),
    ],
)
def test_a_parameter_has_the_remedy_of_its_operation(
    operation: Operation, path: tuple[str | int, ...], expected: str
) -> None:
    assert remedy(field_at(operation.parameters_model(), path)) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("pull_request: {repository: acme/web, actions: 5}", "a list of opened, synchronize"),
        ("release: {repository: acme/web, actions: 5}", "the host's own words"),
    ],
)
def test_messages_use_it(condition: str, expected: str) -> None:
    request = "request: {operation: start_job, parameters: {appId: d1, branchName: main, jobType: RELEASE}}"
    checked = check_routes(f"routes: {{web: {{when: {{{condition}}}, {request}}}}}".encode(), "amplify-jobs")
    (fault,) = checked.faults
    assert fault.message.startswith(f"5 is not a list; use {expected}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("main", "main"),
        ("release/*", '"release/*"'),
        ("{branch}", '"{branch}"'),
        ("12", '"12"'),
        ("on", '"on"'),
        (45, "45"),
        (True, "true"),
        ({"a": {"b": {"c": {"d": 1}}}, "e": []}, "{a: {b: {c: {…}}}, e: []}"),
    ],
)
def test_a_value_is_written_as_a_person_writes_it(value: Any, expected: str) -> None:
    assert flow(value) == expected
