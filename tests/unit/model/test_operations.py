"""The registry of operations: every operation has a row, and every class that a row names is there."""

from __future__ import annotations

from pkgutil import resolve_name

import pytest

from amplify_jobs.model.operations import FOLLOW_JOB, OPERATIONS, Operation, OperationSpec, default_timeout_minutes
from amplify_jobs.model.parameters import OperationParameters


def test_every_operation_has_a_row_and_no_row_is_of_another() -> None:
    assert list(OPERATIONS) == [*Operation, FOLLOW_JOB]


@pytest.mark.parametrize("spec", OPERATIONS.values(), ids=OPERATIONS)
def test_a_row_names_the_model_of_its_parameters(spec: OperationSpec) -> None:
    assert issubclass(spec.parameters_model(), OperationParameters)


@pytest.mark.parametrize("spec", OPERATIONS.values(), ids=OPERATIONS)
def test_a_row_names_a_service_that_connects(spec: OperationSpec) -> None:
    assert callable(resolve_name(spec.service).connect)


def test_an_operation_that_is_not_known_has_the_timeout_of_a_build() -> None:
    assert default_timeout_minutes("deploy") == default_timeout_minutes("start_job") == 60
