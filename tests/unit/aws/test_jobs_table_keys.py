"""Keys of the jobs table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from amplify_jobs.aws.jobs_table.keys import job_key, job_of, latest_key, lease_key, record_key
from amplify_jobs.model.job import BranchRef, Job, JobRef

MAIN = BranchRef("eu-west-1", "d1", "main")


def test_keys_sort_as_job_ids_do() -> None:
    keys = [job_key(JobRef(MAIN, job_id))["sk"] for job_id in ("2", "10", "9999999999")]
    assert keys == sorted(keys)
    assert job_key(JobRef(MAIN, "0000000004")) == job_key(JobRef(MAIN, "4"))


@pytest.mark.parametrize("branch_name", ["main", "feature/x", "a#b", "#", "job#1"])
def test_a_key_says_which_job_it_is_of(branch_name: str) -> None:
    job = JobRef(BranchRef("eu-west-1", "d1", branch_name), "10")
    assert job_of(job_key(job)) == job


def test_the_keys_of_a_branch_are_those_that_are_stored() -> None:
    """Items outlive a deployment, and executions a definition."""
    assert job_key(JobRef(MAIN, "7")) == {"pk": "eu-west-1#d1#main", "sk": "job#0000000007"}
    assert lease_key(MAIN) == {"pk": "eu-west-1#d1#main", "sk": "attempt"}
    assert latest_key(MAIN, "push") == {"pk": "eu-west-1#d1#main", "sk": "latest#push"}


def test_a_record_without_a_branch_sorts_by_the_time_of_its_request() -> None:
    job = Job(operation="start_codegen_job", app_id="d1", environment_name="dev", job_id="a-1")
    key = record_key("eu-west-1", job, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert key == {"pk": "eu-west-1#d1#dev", "sk": "start_codegen_job#2026-03-01T12:00:00.000000+00:00#a-1"}
