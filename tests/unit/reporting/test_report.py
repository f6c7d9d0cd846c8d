"""What a report says of an announcement, and which of two is newer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.reporting.report import Report, ReportState, Version
from amplify_jobs.reporting.wording import description, filled, status, title
from tests.support.announced import LINKS, REQUESTED, finished, rejected, started


@pytest.mark.parametrize(
    ("report", "state", "phase", "outcome"),
    [
        (started(), ReportState.PENDING, "started", None),
        (finished(), ReportState.SUCCEEDED, "finished", "SUCCEEDED"),
        (finished(Outcome.FAILED), ReportState.FAILED, "finished", "FAILED"),
        (finished(Outcome.TIMED_OUT), ReportState.ERROR, "finished", "TIMED_OUT"),
        (finished(Outcome.UNKNOWN), ReportState.ERROR, "finished", "UNKNOWN"),
        (finished(Outcome.CANCELLED), ReportState.CANCELLED, "finished", "CANCELLED"),
        (rejected(), ReportState.ERROR, "rejected", "REJECTED"),
        (rejected(outcome="CANCELLED"), ReportState.CANCELLED, "rejected", "CANCELLED"),
    ],
)
def test_states(report: Report, state: ReportState, phase: str, outcome: str | None) -> None:
    assert (report.state, report.phase, report.outcome) == (state, phase, outcome)


def test_a_request_is_told_in_its_order_and_requests_in_theirs() -> None:
    in_order = [started(), finished(Outcome.UNKNOWN), finished()]
    in_order += [started(request_id="web-2", requested_at=REQUESTED + timedelta(seconds=1))]
    versions = [report.version for report in in_order]
    assert sorted(versions) == versions
    assert len(set(versions)) == len(versions)


@given(st.permutations([started(), finished(Outcome.UNKNOWN), finished(Outcome.FAILED)]))
def test_the_newest_is_the_same_in_any_order(reports: list[Report]) -> None:
    assert max(report.version for report in reports) == finished().version


def test_an_announcement_of_an_older_version_counts_as_old() -> None:
    assert started(requested_at=None).version < Version(REQUESTED, "", 0)


def test_an_event_of_the_bus_is_read() -> None:
    report = finished()
    event = report.detail.model_dump(mode="json", by_alias=True)
    assert Report.from_event("Job Finished", event) == report
    with pytest.raises(ValueError, match="Job Progressed"):
        Report.from_event("Job Progressed", event)


def test_words() -> None:
    assert title(finished(Outcome.FAILED)) == "web · main · job 17: failed after 1 min 35 s"
    assert title(started()) == "web · main · job 17: started"
    assert title(rejected()) == "d1a2b3c4d5e6: no job was started"
    assert status(finished(duration_seconds=None)) == "succeeded"
    assert description(rejected(), 140) == "No job was started: there is no such branch"
    long = description(rejected(reason="x" * 500), 140)
    assert len(long) == 140
    assert long.endswith("…")
    assert filled("amplify-jobs/{route}/{app}/{branch}/{other}", started()) == "amplify-jobs/web/web/main/{other}"


def test_where_a_report_leads() -> None:
    assert finished().link == LINKS.site
    assert finished(Outcome.FAILED).link == LINKS.console
    assert rejected().link is None
