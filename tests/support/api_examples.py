"""One answer of each kind of the API, made by its models: fixtures for programs that call it.

Run as a program it writes them to tests/support/api_examples.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from amplify_jobs.announcing.announcement import AnnouncedStep, JobFinished, JobRejected, JobStarted, Outcome
from amplify_jobs.indexing.answers import (
    BranchState,
    Health,
    LiveCommit,
    LogText,
    Page,
    Problem,
    ReportResult,
    RequestAccepted,
    RequestState,
    RequestSummary,
    StepState,
)
from amplify_jobs.indexing.deliveries import (
    DeliveryStory,
    DeliverySummary,
    RouteDecision,
    RoutesInEffect,
    ScheduleState,
)
from amplify_jobs.indexing.record import EndNews, ExecutionNews, RejectionNews, RequestRecord, StartNews
from amplify_jobs.indexing.story import story
from amplify_jobs.indexing.summary import summary
from amplify_jobs.model.failure import Failure, Who
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.routes import Routes
from tests.support.announced import COMMIT, JOB, LINKS, REQUESTED, common

FOLDER = Path(__file__).with_suffix("")
ARN = "arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs-job:web-1"
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
LATER = REQUESTED + timedelta(minutes=5)
FAILURE = Failure(
    cause="missing-script",
    summary="package.json has no script build.",
    advice="Add the script to package.json, or correct the command in amplify.yml.",
    phase="build",
    command="npm run build",
    excerpt='npm ERR! Missing script: "build"',
    who=Who.AUTHOR,
    log="s3://amplify-jobs-bucket/logs/web-1/17-1-build.txt",
)


def record(outcome: Outcome | None) -> RequestRecord:
    """What the index knows of a request whose job ended so, or still runs."""
    starting, ending = REQUESTED + timedelta(seconds=4), REQUESTED + timedelta(seconds=110)
    job = JOB.model_copy(update={"job_type": "RELEASE", "started_at": starting})
    cause = common()["cause"].model_copy(update={"delivery_id": DELIVERY})
    request = JobRequest(
        request_id="web-1",
        route="web",
        operation="start_job",
        parameters={"appId": JOB.app_id, "branchName": "main", "jobType": "RELEASE", "commitId": COMMIT},
        cause=cause,
        received_at=REQUESTED,
    )
    request_record = RequestRecord(
        request_id="web-1",
        as_of=LATER,
        request=request,
        execution=ExecutionNews(arn=ARN, status="RUNNING", started_at=REQUESTED + timedelta(seconds=1)),
        started=StartNews(at=starting, detail=JobStarted(job=job, links=LINKS, **common(cause=cause))),
        reports=(report("pending", starting),),
    )
    if outcome is None:
        return request_record
    failed = outcome is Outcome.FAILED
    step = AnnouncedStep(name="BUILD", status="FAILED" if failed else "SUCCEED", reason="exit 1" if failed else None)
    detail = JobFinished(
        job=job.model_copy(update={"finished_at": ending, "status": "FAILED" if failed else "SUCCEED"}),
        outcome=outcome,
        duration_seconds=95,
        reason="exit 1" if failed else None,
        failed_step=step if failed else None,
        steps=(step, AnnouncedStep(name="DEPLOY", status="CANCELLED" if failed else "SUCCEED")),
        links=LINKS,
        attempts=1,
        failure=FAILURE if failed else None,
        commit_built=COMMIT,
        **common(cause=cause),
    )
    news = RequestRecord(
        request_id="web-1",
        as_of=LATER,
        execution=ExecutionNews(arn=ARN, status="SUCCEEDED", started_at=REQUESTED, stopped_at=ending),
        ended=EndNews(at=ending, detail=detail),
        reports=(report("failed" if failed else "succeeded", ending),),
    )
    return request_record.merge(news)


def rejected() -> RequestRecord:
    """What the index knows of a request for which no job was started."""
    detail = JobRejected(reason="there is no branch nosuch", operation="start_job", app_id=JOB.app_id, **common())
    at = REQUESTED + timedelta(seconds=2)
    return RequestRecord(request_id="web-1", as_of=at, rejected=RejectionNews(at=at, detail=detail))


def report(text: str, at: datetime) -> ReportResult:
    return ReportResult(
        target="commits", kind="commit_status", subject=f"acme/web {COMMIT}", state="sent", at=at, text=text
    )


def routes() -> Routes:
    conditions = {"push": {"repository": "acme/web", "branches": ["main"]}}
    parameters = {"appId": JOB.app_id, "branchName": "{branch}", "jobType": "RELEASE"}
    route = {"when": conditions, "request": {"operation": "start_job", "parameters": parameters}}
    source = {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}
    return Routes.model_validate({"sources": {"github": source}, "routes": {"web": route}})


def deliveries() -> tuple[DeliveryStory, DeliveryStory]:
    """A delivery that led to a request, and one that led to none."""
    decisions = (
        RouteDecision(route="web", matched=True, reason="branch main matches main", request_id="web-1"),
        RouteDecision(route="preview", matched=False, reason="the event's kind is push"),
    )
    built = DeliveryStory(
        delivery_id=DELIVERY,
        source="github",
        provider="github",
        received_at=REQUESTED,
        kind="push",
        repository="acme/web",
        ref="refs/heads/main",
        commit=COMMIT,
        requests=1,
        summary="1 request: web-1",
        decisions=decisions,
        is_replayable=True,
    )
    reason = "branch docs does not match main"
    ignored = built.model_copy(
        update={
            "delivery_id": "0b2d2c00-cc78-11e3-9d2b-5b1ae4f0a1c7",
            "ref": "refs/heads/docs",
            "requests": 0,
            "summary": f"no request: {reason}",
            "decisions": (RouteDecision(route="web", matched=False, reason=reason), decisions[1]),
        }
    )
    return built, ignored


def examples() -> dict[str, BaseModel]:
    """The answers by the names of their files."""
    running, failed, succeeded = record(None), record(Outcome.FAILED), record(Outcome.SUCCEEDED)
    steps = (StepState(name="BUILD", status="RUNNING", started_at=REQUESTED + timedelta(seconds=9)),)
    live = LiveCommit(commit=COMMIT, job_id="17", at=summary(succeeded).ended_at, request_id="web-1")
    waiting = RequestSummary(request_id="web-2", state=RequestState.RECEIVED, route="web", requested_at=LATER)
    built, ignored = deliveries()
    shown = {*DeliverySummary.model_fields}
    return {
        "requests": Page[RequestSummary](
            items=(waiting, summary(running), summary(failed)), next="eyJkYXkiOiIyMDI2LTExLTI3In0", as_of=LATER
        ),
        "request-running": story(running).model_copy(update={"steps": steps, "is_live": True}),
        "request-failed": story(failed),
        "request-succeeded": story(succeeded),
        "request-rejected": story(rejected()),
        "log": LogText(
            step="BUILD",
            text='# Executing command: npm run build\nnpm ERR! Missing script: "build"\n',
            offset=67,
            complete=True,
            failing_lines=(1, 2),
            as_of=LATER,
        ),
        "accepted": RequestAccepted(request_id="web-3"),
        "deliveries": Page[DeliverySummary](
            items=tuple(DeliverySummary(**each.model_dump(include=shown)) for each in (built, ignored)), as_of=LATER
        ),
        "delivery": built,
        "delivery-ignored": ignored,
        "branches": Page[BranchState](
            items=(
                BranchState(
                    app_id=JOB.app_id,
                    app_name="web",
                    branch_name="main",
                    live=live,
                    last=summary(failed),
                    running=summary(running),
                ),
            ),
            as_of=LATER,
        ),
        "routes": RoutesInEffect(
            routes=routes().model_dump(mode="json", by_alias=True, exclude_none=True), pushed_at=REQUESTED, as_of=LATER
        ),
        "schedules": Page[ScheduleState](
            items=(
                ScheduleState(
                    name="amplify-jobs-nightly",
                    expression="cron(0 3 * * ? *)",
                    timezone="Europe/Berlin",
                    route="nightly",
                    next=tuple(datetime(2026, 11, day, 2, tzinfo=UTC) for day in (28, 29, 30)),
                    state="ENABLED",
                ),
            ),
            as_of=LATER,
        ),
        "health": Health(as_of=LATER, lag_seconds=2),
        "problem": Problem(
            title="Not Found", status=404, detail="there is no request nosuch; GET /requests lists them"
        ),
    }


def text(example: BaseModel) -> str:
    """The text of a file."""
    return json.dumps(example.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, example in examples().items():
        (FOLDER / f"{name}.json").write_text(text(example))
