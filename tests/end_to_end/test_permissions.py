"""The template grants what the whole path needs, and nothing else: each action is taken away, one at a time.

The fixture `lived` runs the whole path on one local cloud, which notes all that roles ask for. An action that
nobody asks for is not needed, and one whose absence refuses nothing is granted twice. What needs Node is in
test_permissions_of_generators.py.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.aws.stored_routes import SECONDS_STALE
from demo.examples import zipped_site
from tests.support.codecommit_repository import CodeCommitRepository
from tests.support.looking import reconcile
from tests.support.mirrored import MirroredApp
from tests.support.permissions import STACK, accesses, granted, is_needed, role, without
from tests.support.previewed import PreviewedMirror, sweep
from tests.support.pull_requests import LOGIN_NAME, PreviewedApp
from tests.support.signed_calls import call
from tests.support.team import BUCKETS, MIRRORS, Team

pytestmark = pytest.mark.thorough

SCHEMA = "type Post @model { id: ID! title: String! }"
FOREIGN_BUCKET = BUCKETS[0]
EVERY_TIME = 1_000_000
LARGE_REQUEST: dict[str, Any] = {
    "operation": "start_codegen_job",
    "parameters": {
        "appId": "dnone",
        "environmentName": "dev",
        "codegenJobToCreate": {
            "renderConfig": {"react": {"script": "jsx"}},
            "graphqlSchema": f"{SCHEMA} # {'x' * 400_000}",
        },
    },
}

NOT_CALLED = {
    "WriteLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "WriteTraces": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    "DeliverLogsAndTraces": {
        *(f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")),
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    },
}
"""What services do in a role without a call of the stack, as their guides list it; the local cloud does none of it."""

AFTER_GENERATING = {
    ("FollowModels", "amplifybackend:GetBackendAPIModels"),
    ("StoreResults", "s3:PutObject"),
}
BEFORE_PUSHING = {("KeepMirrors", "codecommit:GitPull")}
"""git asks for the refs before it pushes; no page says that CodeCommit takes that for a part of the push."""
WAYS_IN = ("ReceiveWebhook", "ReceiveEvent", "DrainIntake")
REPORTING = ("PlanReportsFunctionRole", "SendReportFunctionRole")
GRANTED = granted()
CALLED = [
    (logical_id, sid, action)
    for logical_id, sid, action in GRANTED
    if sid not in NOT_CALLED and (sid, action) not in AFTER_GENERATING | BEFORE_PUSHING
]


def test_what_nobody_calls_is_what_the_services_document() -> None:
    for sid, actions in NOT_CALLED.items():
        roles = {logical_id for logical_id, one, _ in GRANTED if one == sid}
        assert roles, sid
        for logical_id in roles:
            assert {action for name, one, action in GRANTED if (name, one) == (logical_id, sid)} == actions


# --- The whole path; a scenario that yields has prepared what others must not disturb --------------------------------


def finds_no_routes(team: Team) -> None:
    """Deliveries, reports, requests and questions, before the first routes are pushed; a request out of the queue."""
    call(team, "GET", "/routes")
    report = {"target": "nobody", "subject": "nothing", "detailType": "Job Started", "detail": {}}
    more: Any = {"MessageGroupId": "nothing", "MessageDeduplicationId": "nothing"}
    queue = str(team.cloud.physical_id("ReportQueue"))
    team.session.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(report), **more)
    team.told(team.asks("start_job", start_of("d0unknown0")["parameters"]), "Job Rejected")
    order = {"source": "github", "repository": "acme/nothing", "ref": "refs/heads/main", "branch": "main"}
    team.asks("start_job", start_of("d0unknown0")["parameters"], mirror=order)
    shown = {"action": "build", "source": "github", "repository": "acme/nothing", "pullRequest": 7}
    team.asks("start_job", start_of("d0unknown0")["parameters"], preview=shown)
    sweep(team)
    for logical_id in (*REPORTING, "MirrorFunctionRole", "PreviewFunctionRole", "SweepPreviewsFunctionRole"):
        until_asked(team, logical_id, "s3:ListBucket")
    # Somebody else's job is followed.
    team.amplify.start_job(appId=team.app("anybody"), branchName="main", jobType="RELEASE")
    until_asked(team, "StartJobFunctionRole", "amplify:GetJob")
    team.deliver(team.push("nothing"))
    invoke(team, {"route": "none", "requestId": "none"})
    team.inject_fault(service="states", operation="StartExecution", fault="throttle", times=EVERY_TIME)
    assert invoke(team, {"route": "none", "requestId": "later"})["deferred"]
    until_asked(team, "DrainIntakeFunctionRole", "s3:ListBucket")
    team.clear_faults()


def starts_what_is_large(team: Team) -> None:
    """Requests that are too large for an execution's input, by webhook and by call."""
    team.route("large", "", request=LARGE_REQUEST)
    ordered = call(team, "POST", "/requests", LARGE_REQUEST)[1]["requestId"]
    asked = [team.accepted(team.push("large")), invoke(team, LARGE_REQUEST)["requests"][0]["requestId"], ordered]
    for request_id in asked:
        team.told(request_id, "Job Rejected")


def asks_for_code(team: Team, tmp_path: Path) -> None:
    """Codegen jobs and models, which fail for want of Node after they were asked for."""
    app_id = str(team.amplify.create_app(name="code")["app"]["appId"])
    job = {"renderConfig": {"react": {"script": "jsx"}}, "graphqlSchema": SCHEMA}
    place = {"AppId": app_id, "BackendEnvironmentName": "dev", "ResourceName": "blog"}
    backend: Any = team.session.client("amplifybackend")
    backend.create_backend(AppId=app_id, AppName="code", BackendEnvironmentName="dev")
    backend.create_backend_api(**place, ResourceConfig={"TransformSchema": SCHEMA})
    # The second try looks for the job whose answer was lost.
    team.inject_fault(service="amplifybackend", operation="GenerateBackendAPIModels", fault="lose-answer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        asked = [
            team.asks("start_codegen_job", {"appId": app_id, "environmentName": "dev", "codegenJobToCreate": job}),
            team.asks("generate_backend_api_models", place),
        ]
        for request_id in asked:
            assert team.told(request_id)["outcome"] == "FAILED"


def defers(team: Team) -> None:
    """Pushes and requests of the bus while Step Functions is down, and a push while routes can't be read."""
    app_id = team.app("deferred")
    team.route("deferred", app_id)
    team.inject_fault(service="states", operation="StartExecution", fault="throttle", times=EVERY_TIME)
    assert team.deliver(team.push("deferred"))[1]["deferred"]
    assert invoke(team, LARGE_REQUEST)["deferred"]
    assert call(team, "POST", "/requests", start_of(app_id))[0] == 409
    entry: Any = {
        "EventBusName": team.outputs["busName"],
        "Source": "com.acme.deferred",
        "DetailType": "Job Requested",
        "Detail": json.dumps({"requestId": "deferred", **start_of(app_id)}),
    }
    team.session.client("events").put_events(Entries=[entry])
    until_asked(team, "ReceiveEventFunctionRole", "sqs:SendMessage")
    until_asked(team, "DrainIntakeFunctionRole", "sqs:ChangeMessageVisibility")
    team.clear_faults()
    team.until(lambda: team.requests_of("com-acme-deferred") or None, "the request was never started")
    until_asked(team, "DrainIntakeFunctionRole", "s3:PutObject")
    team.kill("ReceiveWebhookFunction")
    team.inject_fault(service="s3", operation="GetObject", fault="throttle", times=EVERY_TIME)
    assert team.deliver(team.push("deferred"))[0] == 202
    team.clear_faults()
    # Until both pushes are out of the queue, what comes next would wait behind them.
    team.until(lambda: len(team.requests_of("deferred")) == 2 or None, "the deferred pushes were never started")
    # What can't be verified, and is too large for the queue, is read and verified when it is drained.
    for function in ("ReceiveWebhookFunction", "DrainIntakeFunction"):
        team.kill(function)
    team.inject_fault(service="ssm", operation="GetParameters", fault="throttle", times=EVERY_TIME)
    routes = {"Key": "routes.json"}
    team.inject_fault(service="s3", operation="GetObject", fault="throttle", times=EVERY_TIME, match=routes)
    assert team.deliver(team.push("deferred", padding="x" * 300_000))[0] == 202
    for action in ("GetParameter", "GetParameters"):
        until_asked(team, "DrainIntakeFunctionRole", f"ssm:{action}")
    team.clear_faults()


def builds(team: Team) -> Iterator[None]:
    """Two pushes, their builds, and what people and programs are told; the first start is throttled."""
    app_id = team.app("granted")
    team.route("granted", app_id)
    yield
    team.inject_fault(service="amplify", operation="StartJob", fault="throttle", match={"appId": app_id})
    for _ in range(2):
        assert team.told(team.accepted(team.push("granted")))["outcome"] == "SUCCEEDED"


def supersedes(team: Team) -> Iterator[None]:
    app_id = team.app("superseded", build=["sleep 10", "echo > index.html"])
    team.route("superseded", app_id, supersede=True)
    # A job that takes longer than one before it is polled while it runs.
    team.has_built_before(app_id, seconds=2)
    yield
    older = team.accepted(team.push("superseded"))
    team.told(older, "Job Started")
    newer = team.accepted(team.push("superseded"))
    assert team.told(older)["outcome"] == "CANCELLED"
    assert team.told(newer)["outcome"] == "SUCCEEDED"


def stops_what_takes_too_long(team: Team) -> Iterator[None]:
    app_id = team.app("endless", build=["sleep 300"])
    yield
    request = start_of(app_id)
    request_id = team.asks("start_job", request["parameters"], timeoutMinutes=1, onTimeout="stop")
    assert team.told(request_id)["outcome"] == "TIMED_OUT"


def deploys(team: Team) -> Iterator[None]:
    """Artifacts of the stack's bucket and of another, the current object and a version."""
    s3: Any = team.session.client("s3")
    s3.create_bucket(Bucket=FOREIGN_BUCKET, CreateBucketConfiguration={"LocationConstraint": team.cloud.region})
    s3.put_bucket_versioning(Bucket=FOREIGN_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield
    for bucket in (team.outputs["bucketName"], FOREIGN_BUCKET):
        stored = s3.put_object(Bucket=bucket, Key="releases/a.zip", Body=zipped_site(bucket))
        for more in ({}, {"artifactVersion": stored["VersionId"]}):
            source = {"artifact": f"s3://{bucket}/releases/a.zip", **more}
            request_id = team.asks("start_deployment", team.manual_app("deployed") | source)
            assert team.shown(team.told(request_id)) == bucket.encode()


def fires(team: Team) -> Iterator[None]:
    """A schedule of the routes, and one for a function that its role may not invoke."""
    app_id = team.app("scheduled")
    when = {"schedule": {"expression": "rate(1 hour)"}}
    team.route("scheduled", "", when=when, request=start_of(app_id))
    yield
    scheduler: Any = team.session.client("scheduler")
    place = {"GroupName": team.outputs["scheduleGroup"]}
    target = scheduler.get_schedule(Name="scheduled", **place)["Target"]
    target |= {"Arn": target["Arn"].replace("receive-event", "announce"), "Input": '{"word": "buried schedule"}'}
    window = {"Mode": "OFF"}
    scheduler.create_schedule(
        Name="forbidden", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=window, Target=target, **place
    )
    assert team.told_of("scheduled")["outcome"] == "SUCCEEDED"
    until_buried(team, "buried schedule")


def reports(team: Team) -> Iterator[None]:
    """Reports to a target that fails once, and to one that is gone."""
    base, app_id = f"{team.cloud.endpoint_url}/_local/reports", team.app("reported")
    key = "/amplify-jobs/secrets/reports/key"
    team.session.client("ssm").put_parameter(Name=key, Type="SecureString", Value="whsec_d2hhdCBzaWducw==")
    team.reports = {
        name: {"kind": "webhook", "url": f"{base}/{name}/jobs", "secret": key, "when": {"routes": ["reported"]}}
        for name in ("fails", "gone")
    }
    team.reports["chat"] = {"kind": "amazon_q", "when": {"routes": ["reported"]}}
    team.reports["comments"] = {"kind": "codecommit_comment"}
    team.route("reported", app_id)
    for name, status in (("fails", 503), ("gone", 410)):
        failure = json.dumps({"name": name, "status": status}).encode()
        urllib.request.urlopen(urllib.request.Request(base, failure, method="POST")).close()
    yield
    # A function that read the routes while S3 failed, as `defers` lets it, keeps its copy for so long.
    time.sleep(SECONDS_STALE)
    team.told(team.accepted(team.push("reported")))
    for action in ("sqs:ChangeMessageVisibility", "dynamodb:PutItem"):
        until_asked(team, "SendReportFunctionRole", action)
    for topic in ("AnnouncementsTopic", "ChatTopic"):
        until_asked(team, "SendReportFunctionRole", "sns:Publish", str(team.cloud.physical_id(topic)))


def comments(team: Team, folder: Path) -> Iterator[None]:
    """Comments on a commit and on a pull request of CodeCommit, from the start of a job to its end.

    The changes of the first repository's refs are claimed, and `reconciles` lists them.
    """
    app_id = team.app("commented")
    whens: dict[str, dict[str, Any]] = {
        "commented": {"push": {"repository": "commented", "branches": ["main"]}},
        "reviewed": {"pull_request": {"repository": "reviewed", "targets": ["main"]}},
    }
    for name, when in whens.items():
        team.route(name, "", source="aws.codecommit", when=when, request=start_of(app_id))
    repositories = [CodeCommitRepository.create(team, name, folder, "base") for name in whens]
    yield
    # A function that read the routes while S3 failed, as `defers` lets it, keeps its copy for so long.
    time.sleep(SECONDS_STALE)
    for repository in repositories:
        repository.push("main")
    repositories[1].push("topic")
    repositories[1].open_pull_request("topic", "Change")
    until_asked(team, "ReceiveEventFunctionRole", "dynamodb:PutItem")
    for action in ("GetCommentsForComparedCommit", "GetCommentsForPullRequest", "UpdateComment"):
        until_asked(team, "SendReportFunctionRole", f"codecommit:{action}")


def mirrors(team: Team) -> Iterator[None]:
    """Two pushes, of which the newer one waits for the older one, and a late one that gives way to both."""
    app = MirroredApp.made_in_codecommit(team, MIRRORS[0])
    late = app.push(app.commit("late"))
    pushes = [app.push(app.commit(word)) for word in ("first", "second")]
    yield
    first = team.accepted(pushes[0])
    team.told(first, "Job Started")
    asked = [first, team.accepted(pushes[1])]
    for request_id in asked:
        assert team.told(request_id)["outcome"] == "SUCCEEDED"
    assert team.told(team.accepted(late), "Job Rejected")["supersededBy"] == asked[1]


def previews(team: Team) -> Iterator[None]:
    """A pull request whose preview is made, changed, and taken away while it is built; what comes late gives way."""
    app = PreviewedApp.made(team, "shown", build=["sleep 300"], basicAuth=LOGIN_NAME)
    yield
    opened = app.asks("opened", 1)
    team.told(opened, "Job Started")
    team.amplify.update_branch(appId=app.app_id, branchName="page", stage="BETA")
    team.told(app.asks("synchronize", 2), "Job Started")
    assert app.branches["page"]["stage"] == "PULL_REQUEST"
    closed = app.asks("closed", 4)
    assert team.ended(closed) == "SUCCEEDED"
    assert "page" not in app.branches
    assert team.told(opened)["outcome"] == "CANCELLED"
    assert team.told(app.asks("synchronize", 3), "Job Rejected")["supersededBy"] == closed


def sweeps(team: Team) -> Iterator[None]:
    """A preview whose branch is gone from its repository, found by the schedule of sweep_previews, which fires now."""
    app = PreviewedMirror.made(team, "gitea", "swept")
    yield
    commit = app.commit("page", "refs/heads/feat")
    app.built(app.did("opened", commit, 7), commit)
    app.source.delete("refs/heads/feat")
    scheduler: Any = team.session.client("scheduler")
    target = scheduler.get_schedule(Name=f"{STACK}-sweep-previews")["Target"]
    window = {"Mode": "OFF"}
    scheduler.create_schedule(Name="sweep", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=window, Target=target)
    team.until(lambda: (app.branches, app.mirrored) == ({}, {}) or None, "nothing was swept")


def reconciles(team: Team) -> Iterator[None]:
    """A push whose delivery was lost, found by the schedule of reconcile, which fires now."""
    app = MirroredApp.made(team, "missed")
    yield
    reconcile(team)
    commit = app.commit("Missed")
    scheduler: Any = team.session.client("scheduler")
    target = scheduler.get_schedule(Name=f"{STACK}-reconcile")["Target"] | {"Input": '{"afterMinutes": 0}'}
    window = {"Mode": "OFF"}
    scheduler.create_schedule(
        Name="reconcile", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=window, Target=target
    )
    assert team.told_of("missed")["commitBuilt"] == commit


def asks_the_api(team: Team) -> Iterator[None]:
    """Questions about a push and its job, a retry, and the stop of a job that runs."""
    app_id, endless = team.app("asked"), team.app("stopped", build=["sleep 300"])
    team.route("asked", app_id)
    yield
    request_id = team.accepted(team.push("asked"))
    team.told(request_id)
    ended = until_indexed(team, request_id, "FINISHED")
    assert (ended["outcome"], ended["isLive"]) == ("SUCCEEDED", True)
    for path in (f"/requests/{request_id}/log", "/requests?app=asked", "/branches", "/routes", "/health"):
        assert call(team, "GET", path)[0] == 200, path
    retried = call(team, "POST", f"/requests/{request_id}/retry", {})[1]["requestId"]
    assert team.told(retried)["outcome"] == "SUCCEEDED"
    running = call(team, "POST", "/requests", start_of(endless))[1]["requestId"]
    team.told(running, "Job Started")
    until_indexed(team, running, "STARTED")
    assert call(team, "POST", f"/requests/{running}/stop", {})[0] == 202
    assert team.told(running)["outcome"] == "CANCELLED"


def buries(team: Team) -> Iterator[None]:
    """Events that functions fail on, one for each function that is invoked asynchronously."""
    yield
    functions = ("receive-event", "on-status-change", "announce", "plan-reports")
    for name in functions:
        arn = f"arn:aws:lambda:{team.cloud.region}:{team.cloud.account}:function:{STACK}-{name}"
        event = {"source": "nobody", "word": f"buried by {name}"}
        team.session.client("lambda").invoke(
            FunctionName=arn, InvocationType="Event", Payload=json.dumps(event).encode()
        )
    for name in functions:
        until_buried(team, f"buried by {name}")


TOGETHER: list[Callable[[Team], Iterator[None]]] = [
    builds,
    supersedes,
    stops_what_takes_too_long,
    deploys,
    fires,
    reports,
    mirrors,
    previews,
    sweeps,
    reconciles,
    asks_the_api,
    buries,
]


@pytest.fixture(scope="module")
def lived(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """The team, once it has been through the whole path."""
    finds_no_routes(team)
    starts_what_is_large(team)
    asks_for_code(team, tmp_path_factory.mktemp("nothing"))
    defers(team)
    scenarios = [scenario(team) for scenario in TOGETHER]
    scenarios.append(comments(team, tmp_path_factory.mktemp("codecommit")))
    for scenario in scenarios:
        next(scenario)
    with ThreadPoolExecutor(len(scenarios)) as pool:
        for ended in [pool.submit(list, scenario) for scenario in scenarios]:
            ended.result()
    return team


def start_of(app_id: str) -> dict[str, Any]:
    return {"operation": "start_job", "parameters": {"appId": app_id, "branchName": "main", "jobType": "RELEASE"}}


def invoke(team: Team, event: Any) -> dict[str, Any]:
    answer = team.session.client("lambda").invoke(
        FunctionName=team.outputs["receiveEventFunctionArn"], Payload=json.dumps(event).encode()
    )
    said: dict[str, Any] = json.load(answer["Payload"])
    return said


def until_indexed(team: Team, request_id: str, state: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        status, shown, _ = call(team, "GET", f"/requests/{request_id}")
        return shown if status == 200 and shown["state"] == state else None

    return team.until(found, f"the index does not show {request_id} as {state}")


def until_asked(team: Team, logical_id: str, action: str, resource: str | None = None) -> None:
    def found() -> bool | None:
        return (
            any(one.action == action and resource in {None, one.resource} for one in accesses(team, logical_id)) or None
        )

    team.until(found, f"{logical_id} did not ask for {action}")


def until_buried(team: Team, word: str) -> None:
    sqs, url = team.session.client("sqs"), team.outputs["deadLetterQueueUrl"]

    def found() -> bool | None:
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1)
        return any(word in message["Body"] for message in received.get("Messages", [])) or None

    team.until(found, f"no dead letter says {word}")


# --- Each action -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("logical_id", "sid", "action"), CALLED)
def test_the_whole_path_fails_without_it(lived: Team, logical_id: str, sid: str, action: str) -> None:
    assert is_needed(lived, logical_id, sid, action)


def test_only_what_a_scenario_meant_to_be_refused_was_refused(lived: Team) -> None:
    refused = [
        (name, access["action"])
        for name, shown in lived.cloud.authorization.report()["roles"].items()
        for access in shown["accesses"]
        if access["decision"] != "allowed"
    ]
    assert refused == [(lived.cloud.physical_id("SchedulerRole"), "lambda:InvokeFunction")]


def test_nothing_of_the_policies_is_left_out(lived: Team) -> None:
    # The keys are those of tests/unit/aws/test_report_records.py, aws/ref_records.py, and aws/jobs_table/keys.py.
    leading_keys = ["condition ForAllValues:StringLike on dynamodb:LeadingKeys"]
    not_evaluated = lived.cloud.authorization.roles.not_evaluated()
    assert {name: list(parts) for name, parts in not_evaluated.items()} == {
        role(lived, f"{name}FunctionRole").name: leading_keys
        for name in ("SendReport", "Mirror", "Preview", "SweepPreviews", "Reconcile", *WAYS_IN)
    }


def test_a_job_whose_action_is_taken_away_is_announced_with_what_is_missing(lived: Team) -> None:
    app_id = lived.app("forbidden")
    forbidden = role(lived, "StartJobFunctionRole")
    policies = list(forbidden.policies)
    forbidden.policies[:] = without(policies, "StartJobs", "amplify:StartJob")
    try:
        request_id = lived.asks("start_job", start_of(app_id)["parameters"])
        reason = lived.told(request_id, "Job Rejected")["reason"]
    finally:
        forbidden.policies[:] = policies
    assert f"{forbidden.name}/" in reason
    assert "is not authorized to perform: amplify:StartJob on resource: " in reason
    assert f"apps/{app_id}/branches/main/jobs/*" in reason
