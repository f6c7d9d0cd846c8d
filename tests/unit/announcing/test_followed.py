"""Announcements of jobs that somebody else started."""

from __future__ import annotations

from amplify_jobs.announcing.text import is_other_commit, subject, text
from amplify_jobs.model.job import JobOrigin
from amplify_jobs.model.request import FOLLOWED, Cause
from tests.support.announcements import FAILED, REQUEST, finished, rejected, started

COMMIT, OTHER = "89205432f5b72b15f33c8d9bd2a1bde3c0e4f5a6", "0" * 40
FOLLOWING = REQUEST.model_copy(
    update={
        "route": None,
        "operation": "follow_job",
        "cause": Cause(source="amplify", kind=FOLLOWED, branch="feature/header"),
    }
)
ORIGIN = JobOrigin(commit=COMMIT, message="Fix the header", host="github.com", repository="acme/web")
ENDED = FAILED.model_copy(update={"job": FAILED.job.model_copy(update={"operation": "follow_job", "origin": ORIGIN})})
TIP = ENDED.model_copy(update={"job": ENDED.job.model_copy(update={"origin": JobOrigin()})})


def test_the_cause_has_what_amplify_tells() -> None:
    for detail in (started(FOLLOWING, ENDED), finished(FOLLOWING, ENDED)):
        cause = detail.cause
        assert cause is not None
        assert (cause.kind, cause.branch, cause.commit) == (FOLLOWED, "feature/header", COMMIT)
        assert (cause.host, cause.repository, cause.message) == ("github.com", "acme/web", "Fix the header")
        assert "89205432f5b7 Fix the header" in text(detail)
        assert "Triggered by: a git trigger of Amplify's, its console or its API for acme/web" in text(detail)


def test_a_job_that_builds_the_tip_has_its_commit_at_the_end() -> None:
    assert "Commit:" not in text(started(FOLLOWING, TIP))
    detail = finished(FOLLOWING, TIP.model_copy(update={"commit_built": OTHER}))
    assert detail.cause is not None
    assert (detail.cause.commit, is_other_commit(detail)) == (OTHER, False)
    assert "(0000000)" in subject(detail)


def test_a_commit_that_was_not_asked_for_is_told() -> None:
    detail = finished(FOLLOWING, ENDED.model_copy(update={"commit_built": OTHER}))
    assert detail.commit_built == OTHER
    assert "Commit built: 000000000000, not the one above: the branch has moved since" in text(detail)


def test_a_job_of_others_runs_when_its_start_is_told() -> None:
    assert "waits in Amplify's queue" in text(started(REQUEST, FAILED))
    assert "waits in Amplify's queue" not in text(started(FOLLOWING, ENDED))


def test_a_job_that_could_not_be_followed_was_not_none() -> None:
    assert "a job could not be followed" in text(rejected(FOLLOWING, "DynamoDB did not answer for a day"))
