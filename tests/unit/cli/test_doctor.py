"""What a diagnosis of a stack concludes from what it saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amplify_jobs.indexing.answers import Health
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.doctor.findings import Finding, Verdict, as_json, summary
from amplify_jobs_cli.doctor.judging import judge
from amplify_jobs_cli.doctor.observations import AccountMismatch, Observations, StoredRoutes, Unread
from tests.support.jobs_api import NOW, delivery

ROUTES = Routes.model_validate(
    {
        "sources": {"github": {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}},
        "routes": {
            "web": {
                "when": {"push": {"repository": "acme/web", "branches": ["main"]}},
                "request": {
                    "operation": "start_job",
                    "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
                },
            }
        },
    }
)
WELL = Observations(
    stack="amplify-jobs",
    now=NOW,
    is_local=False,
    reads_buckets=False,
    endpoint_status=404,
    skew_seconds=0.4,
    routes=StoredRoutes(is_there=True, routes=ROUTES),
    missing_secrets=(),
    account=AccountMismatch(),
    left_behind=(),
    rules={"amplify-jobs-status-change": "ENABLED", "amplify-jobs-object-created": "DISABLED"},
    alarms={"amplify-jobs-dead-letters": "OK", "amplify-jobs-no-deliveries": "INSUFFICIENT_DATA"},
    queues={"intake queue": 0, "dead-letter queue": 0},
    failed_executions=0,
    running_executions=4,
    health=Health(as_of=NOW, lag_seconds=2),
    deliveries=(delivery("1"),),
)
OFF = ROUTES.model_copy(update={"routes": {"web": ROUTES.routes["web"].model_copy(update={"enabled": False})}})
AUTO_BUILD = "auto-build of the branch main of d1 is on; turn it off: aws amplify update-branch"


def test_a_stack_in_good_order_has_nothing_else() -> None:
    findings = judge(WELL)
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    assert summary(findings) == f"All {len(findings)} checks are ok."


TABLE: list[tuple[dict[str, Any], Verdict, str, str, str]] = [
    ({"endpoint_status": 500}, Verdict.PROBLEM, "webhook endpoint", "it answers 500", "log of the function"),
    ({"endpoint_status": 429}, Verdict.PROBLEM, "webhook endpoint", "throttles", "WebhookRateLimit"),
    ({"endpoint_status": Unread("no answer")}, Verdict.PROBLEM, "webhook endpoint", "no answer", "network"),
    ({"skew_seconds": -301.0}, Verdict.PROBLEM, "clock", "301 s off", "set its clock"),
    ({"skew_seconds": 61.0}, Verdict.WARNING, "clock", "61 s off", "set its clock"),
    ({"routes": StoredRoutes(is_there=False)}, Verdict.PROBLEM, "routes", "none were pushed", "routes push"),
    ({"routes": StoredRoutes(is_there=True)}, Verdict.PROBLEM, "routes", "does not read them", "routes push"),
    ({"routes": StoredRoutes(is_there=True, routes=OFF)}, Verdict.WARNING, "routes", "off: web", "enabled: false"),
    ({"missing_secrets": ("/a/b",)}, Verdict.PROBLEM, "secrets", "SSM does not have /a/b", "routes push"),
    ({"left_behind": ("nightly",)}, Verdict.PROBLEM, "schedules and copies of sources", "nightly", "push the routes"),
    ({"deliveries": ()}, Verdict.WARNING, "deliveries of github", "none was taken in", "/webhooks/github"),
    (
        {"deliveries": (delivery("1", received_at=NOW - timedelta(days=8)),)},
        Verdict.WARNING,
        "deliveries of github",
        "the last was 2026-11-20",
        "git host",
    ),
    (
        {"account": AccountMismatch(warnings=[("routes.web", AUTO_BUILD), ("routes.shop", AUTO_BUILD)])},
        Verdict.PROBLEM,
        "auto-build",
        "auto-build of the branch main of d1 is on (routes.web, routes.shop)",
        "turn it off: aws amplify update-branch",
    ),
    (
        {"account": AccountMismatch(warnings=[("routes.web", "Amplify has no app d1; correct appId")])},
        Verdict.PROBLEM,
        "apps, branches and buckets",
        "Amplify has no app d1 (routes.web)",
        "correct appId",
    ),
    (
        {"account": AccountMismatch(unreconciled=[("routes.web", "reconcile does not look at web; deploy")])},
        Verdict.WARNING,
        "apps, branches and buckets",
        "reconcile does not look at web (routes.web)",
        "deploy",
    ),
    (
        {
            "account": AccountMismatch(
                troubles=["the IAM action amplify:GetApp is not allowed; allow it or use --no-lookup"]
            )
        },
        Verdict.UNKNOWN,
        "apps, branches and buckets",
        "amplify:GetApp is not allowed; allow it",
        "",
    ),
    ({"rules": {"a": "DISABLED", "b": "ENABLED"}}, Verdict.PROBLEM, "rules", "disabled: a", "enable-rule --name a"),
    (
        {"reads_buckets": True},
        Verdict.PROBLEM,
        "rules",
        "disabled: amplify-jobs-object-created",
        "enable-rule --name amplify-jobs-object-created",
    ),
    ({"rules": {}}, Verdict.PROBLEM, "rules", "has none", "deploy the stack again"),
    ({"alarms": {"x": "ALARM"}}, Verdict.PROBLEM, "alarms", "x is raised", "runbook"),
    *(
        ({"alarms": {f"amplify-jobs-{name}": "ALARM"}}, Verdict.PROBLEM, "alarms", f"{name} is raised", name)
        for name in ("report-dead-letters", "index-dead-letters")
    ),
    ({"alarms": {}}, Verdict.PROBLEM, "alarms", "has none", "deploy the stack again"),
    ({"alarms": {}, "is_local": True}, Verdict.UNKNOWN, "alarms", "the local cloud has none", ""),
    (
        {"queues": {"dead-letter queue": 1}},
        Verdict.PROBLEM,
        "dead-letter queue",
        "1 message in it",
        "dead-letters replay",
    ),
    (
        {"queues": {"dead-letter queue of the reports": 1}},
        Verdict.PROBLEM,
        "dead-letter queue of the reports",
        "1 message in it",
        "reports replay",
    ),
    (
        {"queues": {"dead-letter queue of the index": 2}},
        Verdict.PROBLEM,
        "dead-letter queue of the index",
        "2 messages in it",
        "runbook",
    ),
    ({"queues": {"intake queue": Unread("no right")}}, Verdict.UNKNOWN, "intake queue", "no right", ""),
    ({"queues": {"intake queue": 3}}, Verdict.WARNING, "intake queue", "3 messages in it", "drain-intake"),
    ({"failed_executions": 2}, Verdict.WARNING, "failed executions", "2 executions", "redrive --dry-run"),
    ({"running_executions": 5}, Verdict.WARNING, "running builds", "5 requests wait or run", "Concurrent jobs"),
    ({"health": Health(warnings=("events are late",))}, Verdict.WARNING, "jobs API", "events are late", "runbook"),
    ({"health": Health(as_of=NOW, lag_seconds=301)}, Verdict.WARNING, "jobs API", "301 s late", "runbook"),
]


@pytest.mark.parametrize(("changed", "verdict", "check", "text", "advice"), TABLE)
def test_what_is_wrong_and_what_to_do(
    changed: dict[str, Any], verdict: Verdict, check: str, text: str, advice: str
) -> None:
    faults = [finding for finding in judge(replace(WELL, **changed)) if finding.verdict is not Verdict.OK]
    (finding,) = [finding for finding in faults if finding.check == check]
    assert finding.verdict is verdict
    assert text in finding.text
    assert advice in finding.advice
    assert bool(finding.advice) == (verdict is not Verdict.UNKNOWN)


# Each queue is read for itself.
NOT_READ = ("stack", "now", "is_local", "reads_buckets", "queues")
READ = [name for name in vars(WELL) if name not in NOT_READ]


@pytest.mark.parametrize("name", READ)
def test_what_could_not_be_read_is_said_and_is_no_finding_of_its_own(name: str) -> None:
    unread: Any = Unread("may not: cloudwatch:DescribeAlarms")
    faults = [finding for finding in judge(replace(WELL, **{name: unread})) if finding.verdict is not Verdict.OK]
    verdict = Verdict.PROBLEM if name == "endpoint_status" else Verdict.UNKNOWN
    assert {finding.verdict for finding in faults} == {verdict}
    assert all("may not: cloudwatch:DescribeAlarms" in finding.text for finding in faults)


def test_an_endpoint_without_routes_is_not_out_of_order() -> None:
    seen = replace(WELL, endpoint_status=503, routes=StoredRoutes(is_there=False))
    assert [finding.check for finding in judge(seen) if finding.verdict is Verdict.PROBLEM] == ["routes"]


def test_for_programs() -> None:
    findings = [Finding("clock", Verdict.OK, "fine"), Finding("rules", Verdict.UNKNOWN, "may not")]
    assert as_json(findings) == {
        "findings": [
            {"check": "clock", "verdict": "ok", "text": "fine", "advice": ""},
            {"check": "rules", "verdict": "unknown", "text": "may not", "advice": ""},
        ],
        "counts": {"ok": 1, "warning": 0, "problem": 0, "unknown": 1},
    }
    assert summary(findings) == "1 not looked at, 1 ok."
