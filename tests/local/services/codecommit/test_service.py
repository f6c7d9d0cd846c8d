"""CodeCommit as boto3, git and local Amplify meet it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from amplify_jobs.aws.git_remotes import codecommit_login
from local.cloud import LocalCloud
from local.permissions.policies import Policy
from tests.support.git_server import environment, git
from tests.support.waiting import eventually

Clients = Callable[..., Any]
AWS_CLI = Path(__file__).parents[4] / ".venv-tools" / "bin" / "aws"
ROLE = "arn:aws:iam::123456789012:role/codecommit"


@pytest.fixture
def codecommit(client: Clients) -> Any:
    return client("codecommit")


@pytest.fixture
def events(cloud: LocalCloud) -> Iterator[list[dict[str, Any]]]:
    """The details of all events of CodeCommit."""
    details: list[dict[str, Any]] = []
    cloud.events.listen(
        lambda event, bus: details.append(dict(event["detail"])) if event["source"] == "aws.codecommit" else None
    )
    yield details
    cloud.events.listen(lambda event, bus: None)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A work tree with one commit on main."""
    folder = tmp_path / "tree"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "index.html").write_text("<p>first</p>")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=First")
    return folder


def head(tree: Path) -> str:
    return git(tree, "rev-parse", "HEAD")


def address(cloud: LocalCloud, name: str, *, region: str | None = None, **statement: Any) -> str:
    """The address of a repository with the login of a role that may do what the statement says."""
    arn = f"{ROLE}-{len(cloud.authorization.roles.all())}"
    policy = Policy({"Statement": [{"Effect": "Allow", "Resource": "*", **statement}]}, set())
    cloud.authorization.roles.add(arn, [policy])
    result = cloud.authorization.roles.assume(arn, "tests")
    assert result is not None
    credentials = ReadOnlyCredentials(result.access_key_id, result.secret_access_key, result.session_token)
    plain = f"{cloud.endpoint_url}/v1/repos/{name}"
    user, password = codecommit_login(plain, region or cloud.region, credentials, datetime.now(UTC))
    return plain.replace("://", f"://{quote(user, safe='')}:{quote(password, safe='')}@")


def refused(tree: Path, *arguments: str) -> str:
    """What git says of a command that fails."""
    run = subprocess.run(["git", *arguments], cwd=tree, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode != 0
    return run.stderr


def test_repositories_are_made_listed_and_deleted(cloud: LocalCloud, codecommit: Any) -> None:
    result = codecommit.create_repository(repositoryName="made", repositoryDescription="A mirror")["repositoryMetadata"]
    assert result["cloneUrlHttp"] == f"{cloud.endpoint_url}/v1/repos/made"
    assert result["Arn"] == f"arn:aws:codecommit:{cloud.region}:{cloud.account}:made"
    assert "defaultBranch" not in result
    assert codecommit.get_repository(repositoryName="made")["repositoryMetadata"] == result
    assert {"repositoryName": "made", "repositoryId": result["repositoryId"]} in codecommit.list_repositories()[
        "repositories"
    ]
    with pytest.raises(codecommit.exceptions.RepositoryNameExistsException):
        codecommit.create_repository(repositoryName="made")
    assert codecommit.delete_repository(repositoryName="made")["repositoryId"] == result["repositoryId"]
    assert "repositoryId" not in codecommit.delete_repository(repositoryName="made")
    with pytest.raises(codecommit.exceptions.RepositoryDoesNotExistException):
        codecommit.get_repository(repositoryName="made")


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("create_repository", {"repositoryName": "web.git"}, "InvalidRepositoryNameException"),
        ("get_branch", {"repositoryName": "missing", "branchName": "main"}, "RepositoryDoesNotExistException"),
        ("get_branch", {"repositoryName": "refusals", "branchName": "missing"}, "BranchDoesNotExistException"),
        ("get_branch", {"branchName": "main"}, "RepositoryNameRequiredException"),
        ("get_branch", {"repositoryName": "refusals"}, "BranchNameRequiredException"),
        (
            "update_default_branch",
            {"repositoryName": "refusals", "defaultBranchName": "missing"},
            "BranchDoesNotExistException",
        ),
        (
            "create_branch",
            {"repositoryName": "refusals", "branchName": "next", "commitId": "f" * 40},
            "CommitDoesNotExistException",
        ),
        (
            "create_branch",
            {"repositoryName": "refusals", "branchName": "next", "commitId": "main"},
            "InvalidCommitIdException",
        ),
        (
            "create_branch",
            {"repositoryName": "refusals", "branchName": "f" * 40, "commitId": "f" * 40},
            "InvalidBranchNameException",
        ),
        ("get_commit", {"repositoryName": "refusals", "commitId": "f" * 40}, "CommitIdDoesNotExistException"),
        ("get_commit", {"repositoryName": "refusals", "commitId": "f"}, "InvalidCommitIdException"),
    ],
)
def test_what_can_t_be_done_is_refused_by_codecommit_s_own_errors(
    codecommit: Any, operation: str, parameters: dict[str, str], code: str
) -> None:
    if not any(one["repositoryName"] == "refusals" for one in codecommit.list_repositories()["repositories"]):
        codecommit.create_repository(repositoryName="refusals")
    with pytest.raises(ClientError) as error:
        getattr(codecommit, operation)(**parameters)
    assert error.value.response["Error"]["Code"] == code


def test_a_push_of_a_role_is_seen_by_the_api_by_git_and_on_the_bus(
    cloud: LocalCloud, codecommit: Any, events: list[dict[str, Any]], tree: Path, tmp_path: Path
) -> None:
    codecommit.create_repository(repositoryName="pushed")
    to = address(cloud, "pushed", Action=["codecommit:GitPull", "codecommit:GitPush"])
    git(tree, "tag", "--annotate", "--message=One", "v1")
    git(tree, "push", "--quiet", to, "main", "v1")
    commit = head(tree)
    assert codecommit.get_branch(repositoryName="pushed", branchName="main")["branch"]["commitId"] == commit
    assert codecommit.get_repository(repositoryName="pushed")["repositoryMetadata"]["defaultBranch"] == "main"
    described = codecommit.get_commit(repositoryName="pushed", commitId=commit)["commit"]
    assert (described["message"], described["parents"], described["author"]["email"]) == (
        "First\n",
        [],
        "a@example.com",
    )
    git(tmp_path, "clone", "--quiet", to, "clone")
    assert head(tmp_path / "clone") == commit
    assert [(event["event"], event["referenceFullName"], event["commitId"]) for event in events] == [
        ("referenceCreated", "refs/heads/main", commit),
        ("referenceCreated", "refs/tags/v1", commit),
    ]
    assert ":assumed-role/codecommit-" in events[0]["callerUserArn"]
    git(tree, "commit", "--quiet", "--amend", "--message=Other")
    git(tree, "push", "--quiet", "--force", to, "main")
    assert (events[2]["event"], events[2]["oldCommitId"], events[2]["commitId"]) == (
        "referenceUpdated",
        commit,
        head(tree),
    )


def test_branches_are_made_and_deleted_by_the_api_with_their_events(
    cloud: LocalCloud, codecommit: Any, events: list[dict[str, Any]], tree: Path
) -> None:
    codecommit.create_repository(repositoryName="branches")
    git(tree, "push", "--quiet", address(cloud, "branches", Action="codecommit:*"), "main")
    names = {"repositoryName": "branches", "branchName": "release/1"}
    codecommit.create_branch(**names, commitId=head(tree))
    assert codecommit.list_branches(repositoryName="branches")["branches"] == ["main", "release/1"]
    with pytest.raises(codecommit.exceptions.BranchNameExistsException):
        codecommit.create_branch(**names, commitId=head(tree))
    with pytest.raises(codecommit.exceptions.InvalidBranchNameException):
        codecommit.create_branch(repositoryName="branches", branchName="a..b", commitId=head(tree))
    with pytest.raises(codecommit.exceptions.DefaultBranchCannotBeDeletedException):
        codecommit.delete_branch(repositoryName="branches", branchName="main")
    codecommit.update_default_branch(repositoryName="branches", defaultBranchName="release/1")
    codecommit.delete_branch(repositoryName="branches", branchName="main")
    assert "deletedBranch" not in codecommit.delete_branch(repositoryName="branches", branchName="main")
    assert [(event["event"], event["referenceName"]) for event in events] == [
        ("referenceCreated", "main"),
        ("referenceCreated", "release/1"),
        ("referenceDeleted", "main"),
    ]


def test_a_role_that_may_push_deletes_a_branch_by_git_without_the_right_to_delete_branch(
    cloud: LocalCloud, codecommit: Any, events: list[dict[str, Any]], tree: Path
) -> None:
    """As the permissions reference says: DeleteBranch is the right to the API's operation alone."""
    codecommit.create_repository(repositoryName="deleted")
    to = address(cloud, "deleted", Action=["codecommit:GitPull", "codecommit:GitPush"])
    git(tree, "push", "--quiet", to, "main", "main:preview")
    git(tree, "push", "--quiet", to, "--delete", "preview")
    assert codecommit.list_branches(repositoryName="deleted")["branches"] == ["main"]
    assert [(event["event"], event["referenceName"]) for event in events[2:]] == [("referenceDeleted", "preview")]
    assert "main" in refused(tree, "push", to, "--delete", "main")
    assert codecommit.list_branches(repositoryName="deleted")["branches"] == ["main"]


def test_a_role_needs_the_right_to_pull_and_to_push(cloud: LocalCloud, codecommit: Any, tree: Path) -> None:
    arn = codecommit.create_repository(repositoryName="guarded")["repositoryMetadata"]["Arn"]
    reader = address(cloud, "guarded", Action="codecommit:GitPull", Resource=arn)
    git(tree, "ls-remote", reader)
    assert f"is not authorized to perform: codecommit:GitPush on resource: {arn}" in refused(
        tree, "push", reader, "main"
    )
    writer = address(cloud, "guarded", Action="codecommit:GitPush", Resource=arn)
    git(tree, "push", "--quiet", writer, "main")
    assert "codecommit:GitPull" in refused(tree, "ls-remote", writer)
    other = address(cloud, "guarded", Action="codecommit:*", Resource=f"{arn}-other")
    assert "403" in refused(tree, "ls-remote", other)


def test_a_login_that_aws_would_refuse_is_refused(cloud: LocalCloud, codecommit: Any, tree: Path) -> None:
    codecommit.create_repository(repositoryName="closed")
    plain = f"{cloud.endpoint_url}/v1/repos/closed"
    assert "terminal prompts disabled" in refused(tree, "ls-remote", plain)
    assert "credential-helper" in refused(tree, "ls-remote", plain.replace("://", "://AKID:secret@"))
    elsewhere = address(cloud, "closed", region="us-east-1", Action="codecommit:*")
    assert "the signature does not match" in refused(tree, "ls-remote", elsewhere)
    missing = address(cloud, "missing", Action="codecommit:*")
    assert "not found" in refused(tree, "ls-remote", missing)


@pytest.mark.skipif(not AWS_CLI.exists(), reason="the AWS CLI is not set up; make test does it")
def test_git_logs_in_with_aws_s_own_credential_helper(cloud: LocalCloud, codecommit: Any, tree: Path) -> None:
    address = codecommit.create_repository(repositoryName="helped")["repositoryMetadata"]["cloneUrlHttp"]
    helper = (
        f"!AWS_ACCESS_KEY_ID=AKID AWS_SECRET_ACCESS_KEY=secret AWS_DEFAULT_REGION={cloud.region} "
        f"{AWS_CLI} codecommit credential-helper --ignore-host-check $@"
    )
    git(tree, "-c", f"credential.helper={helper}", "-c", "credential.useHttpPath=true", "push", "-q", address, "main")
    assert codecommit.get_branch(repositoryName="helped", branchName="main")["branch"]["commitId"] == head(tree)


@pytest.mark.parametrize("host", ["aws", "own"])
def test_local_amplify_builds_from_a_repository_by_its_address(
    cloud: LocalCloud, client: Clients, codecommit: Any, tree: Path, host: str
) -> None:
    name = f"built-{host}"
    own = codecommit.create_repository(repositoryName=name)["repositoryMetadata"]["cloneUrlHttp"]
    git(tree, "push", "--quiet", address(cloud, name, Action="codecommit:*"), "main")
    repository = own if host == "own" else f"https://git-codecommit.{cloud.region}.amazonaws.com/v1/repos/{name}"
    amplify = client("amplify")
    branch = {"appId": amplify.create_app(name=name, repository=repository)["app"]["appId"], "branchName": "main"}
    amplify.create_branch(**branch)
    job = {**branch, "jobId": amplify.start_job(**branch, jobType="RELEASE")["jobSummary"]["jobId"]}
    ends = {"SUCCEED", "FAILED"}
    eventually(lambda: amplify.get_job(**job)["job"]["summary"]["status"] in ends, seconds=60)
    steps = amplify.get_job(**job)["job"]["steps"]
    assert [step["status"] for step in steps] == ["SUCCEED"] * 3, steps
