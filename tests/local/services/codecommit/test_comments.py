"""Pull requests and comments of CodeCommit as boto3 meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.cloud import LocalCloud
from local.permissions.policies import Policy
from tests.local.services.codecommit.test_service import address
from tests.support.git_server import git
from tests.support.waiting import eventually

Clients = Callable[..., Any]
ROLE = "arn:aws:iam::123456789012:role/commenting"


@pytest.fixture(scope="module")
def commits(cloud: LocalCloud, client: Clients, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two commits of main and one of topic in the repository talk; the repository quiet has none."""
    folder = tmp_path_factory.mktemp("talk")
    git(folder, "init", "--quiet", "--initial-branch=main")
    items = []
    for branch in ("main", "main", "topic"):
        git(folder, "checkout", "--quiet", "-B", branch)
        git(folder, "commit", "--quiet", "--allow-empty", f"--message={branch}")
        items.append(git(folder, "rev-parse", "HEAD"))
    for name in ("talk", "quiet"):
        client("codecommit").create_repository(repositoryName=name)
    git(folder, "push", "--quiet", address(cloud, "talk", Action="codecommit:*"), "main", "topic")
    return items


def in_role(cloud: LocalCloud, arn: str) -> Any:
    """A client in a session of a role."""
    keys = cloud.authorization.roles.assume(arn, "tests")
    assert keys is not None
    return boto3.client(
        "codecommit",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token,
    )


@pytest.fixture
def codecommit(client: Clients) -> Any:
    return client("codecommit")


@pytest.fixture
def events(cloud: LocalCloud) -> Iterator[list[dict[str, Any]]]:
    """The details of all events of pull requests."""
    kind, details = "CodeCommit Pull Request State Change", list[dict[str, Any]]()
    cloud.events.listen(
        lambda event, bus: details.append(dict(event["detail"])) if event["detail-type"] == kind else None
    )
    yield details
    cloud.events.listen(lambda event, bus: None)


def open_pull_request(codecommit: Any) -> dict[str, Any]:
    target = {"repositoryName": "talk", "sourceReference": "topic"}
    result: dict[str, Any] = codecommit.create_pull_request(title="Change", targets=[target])["pullRequest"]
    return result


def comment_on(codecommit: Any, commits: list[str], content: str = "Hello", **more: Any) -> dict[str, Any]:
    place = {"repositoryName": "talk", "beforeCommitId": commits[0], "afterCommitId": commits[1]}
    result: dict[str, Any] = codecommit.post_comment_for_compared_commit(**{**place, "content": content, **more})[
        "comment"
    ]
    return result


def test_a_pull_request_is_of_two_branches_and_tells_the_bus(
    codecommit: Any, commits: list[str], events: list[dict[str, Any]]
) -> None:
    result = open_pull_request(codecommit)
    (target,) = result["pullRequestTargets"]
    assert (target["sourceCommit"], target["destinationCommit"]) == (commits[2], commits[1])
    assert target["destinationReference"] == "refs/heads/main"
    assert codecommit.get_pull_request(pullRequestId=result["pullRequestId"])["pullRequest"] == result
    (event,) = eventually(lambda: events or None)
    assert (event["event"], event["pullRequestId"]) == ("pullRequestCreated", result["pullRequestId"])
    assert (event["sourceCommit"], event["repositoryNames"]) == (commits[2], ["talk"])


def test_a_comment_is_made_once_for_a_token_changed_by_its_author_and_deleted(
    codecommit: Any, commits: list[str]
) -> None:
    result = comment_on(codecommit, commits, clientRequestToken="once")
    assert comment_on(codecommit, commits, clientRequestToken="once") == result
    with pytest.raises(codecommit.exceptions.IdempotencyParameterMismatchException):
        comment_on(codecommit, commits, "Other", clientRequestToken="once")
    identity = result["commentId"]
    changed = codecommit.update_comment(commentId=identity, content="Bye")["comment"]
    assert (changed["content"], changed["creationDate"]) == ("Bye", result["creationDate"])
    assert codecommit.get_comment(commentId=identity)["comment"] == changed
    deleted = codecommit.delete_comment_content(commentId=identity)["comment"]
    assert (deleted["deleted"], "content" in deleted) == (True, False)
    with pytest.raises(codecommit.exceptions.CommentDeletedException):
        codecommit.update_comment(commentId=identity, content="Again")


def test_comments_come_in_pages_and_groups(codecommit: Any, commits: list[str]) -> None:
    identity = open_pull_request(codecommit)["pullRequestId"]
    place = {"pullRequestId": identity, "repositoryName": "talk", "beforeCommitId": commits[1]}
    for number in range(3):
        codecommit.post_comment_for_pull_request(**place, afterCommitId=commits[2], content=f"Comment {number}")
    pages = codecommit.get_paginator("get_comments_for_pull_request").paginate(pullRequestId=identity, maxResults=2)
    groups = [group for page in pages for group in page["commentsForPullRequestData"]]
    assert [len(group["comments"]) for group in groups] == [2, 1]
    assert [one["content"] for group in groups for one in group["comments"]] == [f"Comment {n}" for n in range(3)]
    of_commit = codecommit.get_comments_for_compared_commit(repositoryName="talk", afterCommitId=commits[2])
    assert of_commit["commentsForComparedCommitData"] == []


NO_COMMIT = "f" * 40
MISSING = f"{'0' * 32}:00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"repositoryName": "missing"}, "RepositoryDoesNotExistException"),
        ({"afterCommitId": "main"}, "InvalidCommitIdException"),
        ({"afterCommitId": NO_COMMIT}, "CommitDoesNotExistException"),
        ({"beforeCommitId": NO_COMMIT}, "CommitDoesNotExistException"),
        ({"beforeCommitId": "{1}"}, "BeforeCommitIdAndAfterCommitIdAreSameException"),
        ({"content": " "}, "CommentContentRequiredException"),
        ({"content": "x" * 10_241}, "CommentContentSizeLimitExceededException"),
    ],
)
def test_a_comment_that_can_t_be_is_refused(
    codecommit: Any, commits: list[str], changes: dict[str, str], code: str
) -> None:
    filled = {name: commits[1] if value == "{1}" else value for name, value in changes.items()}
    with pytest.raises(ClientError) as error:
        comment_on(codecommit, commits, **filled)
    assert error.value.response["Error"]["Code"] == code


def test_only_the_first_commit_is_compared_with_none(codecommit: Any, commits: list[str]) -> None:
    place = {"repositoryName": "talk", "content": "Hello"}
    codecommit.post_comment_for_compared_commit(**place, afterCommitId=commits[0])
    with pytest.raises(codecommit.exceptions.CommitIdRequiredException):
        codecommit.post_comment_for_compared_commit(**place, afterCommitId=commits[1])


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("get_pull_request", {"pullRequestId": "x"}, "InvalidPullRequestIdException"),
        ("get_pull_request", {"pullRequestId": "999"}, "PullRequestDoesNotExistException"),
        ("get_comment", {"commentId": "x"}, "InvalidCommentIdException"),
        ("update_comment", {"commentId": MISSING, "content": "x"}, "CommentDoesNotExistException"),
        (
            "get_comments_for_compared_commit",
            {"repositoryName": "talk", "afterCommitId": "{0}", "maxResults": 501},
            "InvalidMaxResultsException",
        ),
        (
            "get_comments_for_compared_commit",
            {"repositoryName": "talk", "afterCommitId": "{0}", "nextToken": "x"},
            "InvalidContinuationTokenException",
        ),
        (
            "get_comments_for_pull_request",
            {"pullRequestId": "{pull request}", "repositoryName": "quiet"},
            "RepositoryNotAssociatedWithPullRequestException",
        ),
        (
            "create_pull_request",
            {"title": "x", "targets": [{"repositoryName": "talk", "sourceReference": "missing"}]},
            "ReferenceDoesNotExistException",
        ),
        (
            "create_pull_request",
            {"title": "x", "targets": [{"repositoryName": "talk", "sourceReference": "main"}]},
            "SourceAndDestinationAreSameException",
        ),
    ],
)
def test_what_can_t_be_done_is_refused_by_codecommit_s_own_errors(
    codecommit: Any, commits: list[str], operation: str, parameters: dict[str, Any], code: str
) -> None:
    identity = open_pull_request(codecommit)["pullRequestId"]
    values = {"{0}": commits[0], "{pull request}": identity}
    filled = {name: values.get(value, value) if isinstance(value, str) else value for name, value in parameters.items()}
    with pytest.raises(ClientError) as error:
        getattr(codecommit, operation)(**filled)
    assert error.value.response["Error"]["Code"] == code


def test_a_role_needs_the_right_on_the_repository_of_a_comment_or_pull_request(
    cloud: LocalCloud, codecommit: Any, commits: list[str]
) -> None:
    other = comment_on(codecommit, commits)["commentId"]
    identity = open_pull_request(codecommit)["pullRequestId"]
    for repository, code in (("talk", "CommentNotCreatedByCallerException"), ("quiet", "AccessDeniedException")):
        arn = f"{ROLE}-{repository}"
        resource = f"arn:aws:codecommit:*:*:{repository}"
        statement = {"Effect": "Allow", "Action": "codecommit:*", "Resource": resource}
        cloud.authorization.roles.add(arn, [Policy({"Statement": [statement]}, set())])
        client = in_role(cloud, arn)
        with pytest.raises(ClientError) as error:
            client.update_comment(commentId=other, content="Mine")
        assert error.value.response["Error"]["Code"] == code
        if repository == "talk":
            assert client.get_pull_request(pullRequestId=identity)["pullRequest"]["pullRequestId"] == identity
            continue
        with pytest.raises(ClientError, match="AccessDenied"):
            client.get_pull_request(pullRequestId=identity)
