"""Apps, branches, job lists and tags, through the API as boto3 speaks it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server.protocol.models import service_model
from tests.support.amplify_world import ACCOUNT, REGION, World


def test_an_app_is_described_as_it_was_made(world: World) -> None:
    app = world.client.create_app(
        name="web",
        repository="https://git.example.com/acme/web",
        accessToken="hush",
        environmentVariables={"A": "1"},
        tags={"team": "web"},
    )["app"]
    app_id = app["appId"]
    assert app == world.client.get_app(appId=app_id)["app"]
    assert app["appArn"] == f"arn:aws:amplify:{REGION}:{ACCOUNT}:apps/{app_id}"
    assert (app["name"], app["repository"], app["description"], app["platform"]) == (
        "web",
        "https://git.example.com/acme/web",
        "",
        "WEB",
    )
    assert app["environmentVariables"] == {"A": "1"}
    assert app["defaultDomain"].startswith(f"{app_id}.localhost")
    assert "accessToken" not in app
    assert set(service_model("amplify").shape_for("App").required_members) <= set(app)


def test_an_app_s_id_can_be_chosen_by_a_tag(world: World) -> None:
    chosen = {"name": "web", "tags": {"local:appId": "d1a2b3c4d5e6"}}
    assert world.client.create_app(**chosen)["app"]["appId"] == "d1a2b3c4d5e6"
    assert refusal(world.client.create_app, **chosen) == (
        "BadRequestException",
        "The tag local:appId names an app that exists: d1a2b3c4d5e6",
    )
    assert refusal(world.client.create_app, name="web", tags={"local:appId": "a/b"}) == (
        "BadRequestException",
        "The tag local:appId must be an app id, not 'a/b'",
    )


def test_an_app_is_changed_and_deleted(world: World) -> None:
    app_id = world.app()
    world.client.update_app(appId=app_id, name="shop", buildSpec="version: 1")
    changed = world.client.get_app(appId=app_id)["app"]
    assert (changed["name"], changed["buildSpec"], changed["repository"]) == (
        "shop",
        "version: 1",
        str(world.repository.path),
    )
    assert world.client.delete_app(appId=app_id)["app"]["name"] == "shop"
    assert refusal(world.client.get_app, appId=app_id) == ("NotFoundException", f"App {app_id} not found.")
    assert world.client.list_apps()["apps"] == []


def test_a_branch_is_described_changed_and_deleted(world: World) -> None:
    app_id = world.app()
    branch = {"appId": app_id, "branchName": "feature/menu"}
    result = world.client.create_branch(**branch, environmentVariables={"A": "1"}, stage="BETA")["branch"]
    assert result == world.client.get_branch(**branch)["branch"]
    assert result["branchArn"] == f"arn:aws:amplify:{REGION}:{ACCOUNT}:apps/{app_id}/branches/feature/menu"
    assert (result["displayName"], result["totalNumberOfJobs"], result["activeJobId"]) == ("feature-menu", "0", "")
    assert set(service_model("amplify").shape_for("Branch").required_members) <= set(result)
    assert world.client.update_branch(**branch, displayName="menu")["branch"]["displayName"] == "menu"
    assert world.client.get_branch(**branch)["branch"]["environmentVariables"] == {"A": "1"}
    assert world.client.delete_branch(**branch)["branch"]["branchName"] == "feature/menu"
    assert refusal(world.client.get_branch, **branch) == ("NotFoundException", "Branch feature/menu not found.")


def refusal(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    """The type and message of the error that a call raises."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    assert type(caught.value).__name__ in {caught.value.response["Error"]["Code"], "ClientError"}
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("get_app", {"appId": "d0"}, "NotFoundException", "App d0 not found."),
        ("update_app", {"appId": "d0"}, "NotFoundException", "App d0 not found."),
        ("delete_app", {"appId": "d0"}, "NotFoundException", "App d0 not found."),
        ("create_branch", {"appId": "d0", "branchName": "b"}, "NotFoundException", "App d0 not found."),
        ("get_branch", {"branchName": "b"}, "NotFoundException", "Branch b not found."),
        ("update_branch", {"branchName": "b"}, "NotFoundException", "Branch b not found."),
        ("delete_branch", {"branchName": "b"}, "NotFoundException", "Branch b not found."),
        ("start_job", {"branchName": "b", "jobType": "RELEASE"}, "NotFoundException", "Branch b not found."),
        ("get_job", {"branchName": "main", "jobId": "7"}, "NotFoundException", "Job 7 not found."),
        ("get_job", {"branchName": "main", "jobId": "9" * 255}, "NotFoundException", f"Job {'9' * 255} not found."),
        ("stop_job", {"branchName": "main", "jobId": "7"}, "NotFoundException", "Job 7 not found."),
        ("delete_job", {"branchName": "main", "jobId": "7"}, "NotFoundException", "Job 7 not found."),
        # These declare no NotFoundException.
        ("list_branches", {"appId": "d0"}, "BadRequestException", "App d0 not found."),
        ("list_jobs", {"branchName": "b"}, "BadRequestException", "Branch b not found."),
        ("list_artifacts", {"branchName": "main", "jobId": "7"}, "BadRequestException", "Job 7 not found."),
        ("get_artifact_url", {"artifactId": "x"}, "NotFoundException", "Artifact x not found."),
        (
            "create_branch",
            {"branchName": "main"},
            "BadRequestException",
            "Failed to create branch. The branch main already exists for the app {app}",
        ),
        (
            "start_job",
            {"branchName": "main", "jobType": "MANUAL"},
            "BadRequestException",
            "The requested jobType MANUAL does not support.",
        ),
        (
            "start_job",
            {"branchName": "main", "jobType": "RETRY"},
            "BadRequestException",
            "jobId is required when jobType is RETRY",
        ),
        (
            "start_job",
            {"branchName": "main", "jobType": "RETRY", "jobId": "3"},
            "NotFoundException",
            "Job 3 not found.",
        ),
        (
            "update_app",
            {"environmentVariables": {"AWS_X": "1"}},
            "BadRequestException",
            'Environment variables must not start with the reserved prefix "AWS": AWS_X',
        ),
        (
            "update_branch",
            {"branchName": "main", "environmentVariables": {"A=B": "1"}},
            "BadRequestException",
            "'A=B' can't be the name of an environment variable",
        ),
        (
            "update_branch",
            {"branchName": "main", "stage": "PREVIEW"},
            "BadRequestException",
            "1 validation error detected: Value 'PREVIEW' at 'stage' failed to satisfy constraint: Member must satisfy "
            "enum value set: [PRODUCTION, BETA, DEVELOPMENT, EXPERIMENTAL, PULL_REQUEST]",
        ),
        (
            "get_app",
            {"appId": "x1"},
            "BadRequestException",
            "1 validation error detected: Value 'x1' at 'appId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: d[a-z0-9]+",
        ),
        (
            "list_jobs",
            {"branchName": "main", "nextToken": "?"},
            "BadRequestException",
            "nextToken: is no token of this operation; use the one it answered",
        ),
        (
            "tag_resource",
            {"appId": None, "resourceArn": "arn:aws:amplify:eu-central-1:111122223333:apps/d0", "tags": {"a": "b"}},
            "ResourceNotFoundException",
            "Resource arn:aws:amplify:eu-central-1:111122223333:apps/d0 not found.",
        ),
        (
            "list_tags_for_resource",
            {"appId": None, "resourceArn": "arn:aws:amplify:eu-central-1:999999999999:apps/{app}"},
            "ResourceNotFoundException",
            "Resource arn:aws:amplify:eu-central-1:999999999999:apps/{app} not found.",
        ),
        (
            "create_webhook",
            {"branchName": "main"},
            "NotImplementedException",
            "amplify CreateWebhook is not implemented by the local cloud",
        ),
    ],
)
def test_errors_are_typed_and_say_what_is_wrong(
    world: World, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    app_id = world.branch()
    sent = {"appId": app_id, **params}
    if operation == "get_artifact_url" or sent["appId"] is None:
        del sent["appId"]
    if "resourceArn" in sent:
        sent["resourceArn"] = sent["resourceArn"].format(app=app_id)
    assert refusal(getattr(world.client, operation), **sent) == (code, message.format(app=app_id))


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("amplifyuibuilder", "list_components", {"appId": "d1", "environmentName": "dev"}),
        ("amplifybackend", "list_s3_buckets", {}),
    ],
)
def test_operations_of_the_other_two_services_that_are_not_there_say_so(
    world: World, service: str, operation: str, params: dict[str, Any]
) -> None:
    client = world.make_client(service)
    code, message = refusal(getattr(client, operation), **params)
    client.close()
    assert code == "NotImplementedException"
    assert message.endswith("is not implemented by the local cloud")


def test_a_manual_app_has_nothing_to_release(world: World) -> None:
    app_id = world.client.create_app(name="manual")["app"]["appId"]
    world.client.create_branch(appId=app_id, branchName="main")
    code, message = refusal(world.client.start_job, appId=app_id, branchName="main", jobType="RELEASE")
    assert code == "BadRequestException"
    assert f"App {app_id} is not connected to a repository" in message


def test_lists_come_in_pages(world: World) -> None:
    apps = [world.app(name=f"app {number}") for number in range(5)]
    names = [f"branch/{number}" for number in range(5)]
    for name in names:
        world.client.create_branch(appId=apps[0], branchName=name)
    assert everything(world.client.list_apps, "apps", "appId", maxResults=2) == apps
    assert everything(world.client.list_branches, "branches", "branchName", appId=apps[0], maxResults=2) == names
    assert len(world.client.list_branches(appId=apps[0], maxResults=0)["branches"]) == 5
    assert "nextToken" not in world.client.list_apps(maxResults=5)


def test_pages_are_right_though_items_go_in_between(world: World) -> None:
    apps = [world.app() for _ in range(4)]
    first = world.client.list_apps(maxResults=2)
    world.client.delete_app(appId=apps[0])
    world.client.delete_app(appId=apps[1])
    rest = world.client.list_apps(nextToken=first["nextToken"])
    assert [app["appId"] for app in rest["apps"]] == apps[2:]
    for app_id in apps[2:]:
        world.client.delete_app(appId=app_id)
    assert world.client.list_apps(nextToken=first["nextToken"])["apps"] == []


def everything(call: Callable[..., Any], member: str, key: str, **params: Any) -> list[Any]:
    items: list[Any] = []
    token: dict[str, str] = {}
    while True:
        answer = call(**params, **token)
        assert len(answer[member]) <= params["maxResults"]
        items += [item[key] for item in answer[member]]
        if "nextToken" not in answer:
            return items
        token = {"nextToken": answer["nextToken"]}


def test_jobs_are_listed_newest_first_in_pages(world: World) -> None:
    app_id = world.branch()
    for _ in range(3):
        world.built(app_id)
    assert everything(
        world.client.list_jobs, "jobSummaries", "jobId", appId=app_id, branchName="main", maxResults=2
    ) == ["3", "2", "1"]


def test_quotas(world: World) -> None:
    app_id = world.app()
    for number in range(50):
        world.client.create_branch(appId=app_id, branchName=f"b{number}")
    code, message = refusal(world.client.create_branch, appId=app_id, branchName="one more")
    assert (code, "50" in message) == ("LimitExceededException", True)
    for _ in range(24):
        world.app()
    code, message = refusal(world.client.create_app, name="one more")
    assert (code, "25" in message) == ("LimitExceededException", True)


def test_apps_and_branches_have_tags(world: World) -> None:
    app = world.client.create_app(name="web", tags={"team": "web"})["app"]
    branch = world.client.create_branch(appId=app["appId"], branchName="feature/x")["branch"]
    for arn, before in ((app["appArn"], {"team": "web"}), (branch["branchArn"], {})):
        assert world.client.list_tags_for_resource(resourceArn=arn)["tags"] == before
        world.client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        world.client.untag_resource(resourceArn=arn, tagKeys=["a", "team"])
        assert world.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert world.client.get_app(appId=app["appId"])["app"]["tags"] == {"b": "2"}
    many = {"k" * (number + 2): "" for number in range(50)}
    assert refusal(world.client.tag_resource, resourceArn=app["appArn"], tags=many)[0] == "BadRequestException"


def test_a_branch_is_made_with_all_that_a_preview_has(world: World) -> None:
    """Before the branch is there in the repository, which Amplify does not look at until a job starts."""
    app_id = world.app()
    login = base64.b64encode(b"ada:s3cret").decode()
    branch = {"appId": app_id, "branchName": "pr-7"}
    answer = world.client.create_branch(
        **branch,
        stage="PULL_REQUEST",
        framework="Next.js - SSR",
        buildSpec="version: 1",
        enableAutoBuild=False,
        enableBasicAuth=True,
        basicAuthCredentials=login,
        tags={"amplify-jobs:preview": "web"},
    )["branch"]
    assert (answer["stage"], answer["framework"], answer["buildSpec"]) == (
        "PULL_REQUEST",
        "Next.js - SSR",
        "version: 1",
    )
    assert (answer["enableAutoBuild"], answer["enableBasicAuth"], answer["basicAuthCredentials"]) == (
        False,
        True,
        login,
    )
    assert world.client.get_branch(**branch)["branch"]["tags"] == {"amplify-jobs:preview": "web"}
    assert world.client.list_branches(appId=app_id)["branches"][0]["tags"] == {"amplify-jobs:preview": "web"}
    # A change leaves the tags as they are.
    changed = world.client.update_branch(**branch, stage="BETA", enableBasicAuth=False)["branch"]
    assert (changed["stage"], changed["enableBasicAuth"]) == ("BETA", False)
    assert changed["tags"] == {"amplify-jobs:preview": "web"}


@pytest.mark.parametrize("credentials", ["ada:s3cret", "YWRh", "YWRhOg==", "OnMzY3JldA==", "/w=="])
def test_a_login_is_a_user_and_a_password_in_base64(world: World, credentials: str) -> None:
    app_id = world.branch()
    for call, name in ((world.client.create_branch, "pr-7"), (world.client.update_branch, "main")):
        code, message = refusal(call, appId=app_id, branchName=name, basicAuthCredentials=credentials)
        assert (code, message) == (
            "BadRequestException",
            "basicAuthCredentials must be user:password, encoded in base64.",
        )


def test_a_started_job_answers_what_amplify_answers(world: World) -> None:
    app_id = world.branch()
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    summary = world.client.start_job(
        appId=app_id,
        branchName="main",
        jobType="RELEASE",
        jobReason="a push",
        commitId="4f0c",
        commitMessage="Fix the menu",
        commitTime=moment,
    )["jobSummary"]
    assert (summary["jobId"], summary["status"], summary["jobType"]) == ("1", "PENDING", "RELEASE")
    assert summary["jobArn"] == f"arn:aws:amplify:{REGION}:{ACCOUNT}:apps/{app_id}/branches/main/jobs/0000000001"
    # The commit that was asked for is ignored, and the reason is never shown.
    assert (summary["commitId"], summary["commitMessage"], summary["commitTime"]) == ("HEAD", "Fix the menu", moment)
    assert not {"jobReason", "endTime"} & set(summary)
    assert (
        "commitMessage" not in world.client.start_job(appId=app_id, branchName="main", jobType="WEB_HOOK")["jobSummary"]
    )


def test_a_retry_is_a_new_job_with_the_old_ones_message(world: World) -> None:
    app_id = world.branch()
    first = world.built(app_id, commitMessage="Fix the menu")["summary"]
    second = world.built(app_id, jobType="RETRY", jobId="1")["summary"]
    assert (second["jobId"], second["jobType"], second["status"]) == ("2", "RETRY", "SUCCEED")
    assert (second["commitMessage"], second["commitTime"]) == ("Fix the menu", first["commitTime"])


def test_a_deleted_job_is_gone_and_its_number_is_not_given_again(world: World) -> None:
    app_id = world.branch()
    log_url = world.built(app_id)["steps"][0]["logUrl"]
    assert world.get(log_url)[0] == 200
    assert world.client.delete_job(appId=app_id, branchName="main", jobId="1")["jobSummary"]["jobId"] == "1"
    assert world.get(log_url)[0] == 404
    assert refusal(world.client.get_job, appId=app_id, branchName="main", jobId="1")[0] == "NotFoundException"
    assert not any((world.state_dir / "jobs").iterdir())
    assert world.start(app_id) == "2"
