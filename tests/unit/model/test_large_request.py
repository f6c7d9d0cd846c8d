"""Requests that are too large for an execution's input: nothing of them is lost on the way through the bucket."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.model.large_request import (
    INPUT_LIMIT,
    is_too_large,
    join_parameters,
    parameters_key,
    split_parameters,
    with_short_texts,
)
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.model.results import RESULTS_BYTES

STEP_FUNCTIONS_LIMIT = 262_144
URI = "s3://bucket/requests/one.json"


def request(parameters: dict[str, Any]) -> JobRequest:
    return JobRequest(
        request_id="web-1",
        route="web",
        operation="start_codegen_job",
        parameters=parameters,
        cause=Cause(source="team", kind="request"),
        received_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


def test_a_large_request_keeps_what_names_it() -> None:
    whole_request = request(
        {"appId": "d1", "environmentName": "dev", "codegenJobToCreate": {"graphqlSchema": "x" * 300_000}}
    )
    assert is_too_large(whole_request.model_dump_json(by_alias=True))
    small, large = split_parameters(whole_request, URI)
    assert (small.app_id, small.environment_name, small.parameters_uri) == ("d1", "dev", URI)
    assert not is_too_large(small.model_dump_json(by_alias=True))
    assert json.loads(large).keys() == {"codegenJobToCreate"}
    assert join_parameters(small, json.loads(large)).parameters == whole_request.parameters
    assert parameters_key(whole_request) == "requests/web-1.json"


@given(st.dictionaries(st.text(), st.text(max_size=400) | st.lists(st.integers(), max_size=200)))
def test_parting_and_joining_loses_nothing(parameters: dict[str, Any]) -> None:
    small, large = split_parameters(request(parameters), URI)
    assert join_parameters(small, json.loads(large)).parameters == parameters


@given(st.dictionaries(st.sampled_from("abc"), st.integers()), st.dictionaries(st.sampled_from("abc"), st.text()))
def test_what_is_in_the_request_itself_counts(small: dict[str, Any], large: dict[str, Any]) -> None:
    parameters = join_parameters(request(small), large).parameters
    assert parameters == {name: small.get(name, large.get(name)) for name in {*small, *large}}


@given(st.text(alphabet="aé😀", min_size=1, max_size=4))
def test_the_limit_is_one_of_bytes_below_that_of_step_functions(piece: str) -> None:
    text = piece * (INPUT_LIMIT // len(piece.encode()))
    assert not is_too_large(text)
    assert is_too_large(text + piece + "x" * len(piece.encode()))
    assert INPUT_LIMIT < STEP_FUNCTIONS_LIMIT


@given(
    text=st.sampled_from("a😀") | st.just("\n"),
    number=st.integers(0, 3_000),
    fault=st.none() | st.integers(0, 100_000).map(lambda length: "é" * length),
)
def test_no_input_passes_the_limit_of_step_functions_with_what_its_job_leaves(
    text: str, number: int, fault: str | None
) -> None:
    long = dict.fromkeys(("repository", "ref", "branch", "tag", "commit", "message", "author"), text * 50_000)
    cause = Cause.model_validate({"source": "team", "kind": "request", **long})
    given_request = request({f"member{n}": text * 60 for n in range(number)} | {"appId": "d1"}).model_copy(
        update={"cause": cause, "fault": fault}
    )
    short = with_short_texts(given_request)
    small, large = split_parameters(short, URI)
    assert len(small.model_dump_json(by_alias=True).encode()) + RESULTS_BYTES + 30_000 < STEP_FUNCTIONS_LIMIT
    assert small.app_id == "d1"
    assert join_parameters(small, json.loads(large)).parameters == given_request.parameters
