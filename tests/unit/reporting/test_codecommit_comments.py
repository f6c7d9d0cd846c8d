"""Comments in CodeCommit: one a commit or pull request and context, whatever is lost, repeated, late or deleted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.model.failure import Failure
from amplify_jobs.reporting.call import Answer, Refused, Retry
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.planning import plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import Result, Sender
from amplify_jobs.routing.routes import Routes
from tests.support.announced import COMMIT, REQUESTED, finished, rejected, started
from tests.support.codecommit_wire import FIRST, PERSON, CodeCommitWire, Fault, History, answers, lost
from tests.support.report_fakes import Notices, Records, Secrets, until_sent
from tests.unit.reporting.test_chats import HOSTILE

SECOND, TOPIC = "2" * 40, "3" * 40
HOST = "git-codecommit.eu-west-1.amazonaws.com"


def destination(**members: Any) -> Destination:
    target = {"kind": "codecommit_comment", **members}
    return destinations(Routes.model_validate({"routes": {}, "reports": {"comments": target}}))[0]


def of(report: Report, **members: Any) -> Report:
    changes = {"source": "aws.codecommit", "repository": "web", **members}
    cause = report.cause.model_copy(update=changes)
    return Report(report.detail_type, report.detail.model_copy(update={"cause": cause}))


def opened(report: Report, **members: Any) -> Report:
    return of(report, kind="pull_request", pull_request=1, commit=TOPIC, branch="main", **members)


@dataclass
class World:
    faults: list[Fault | None] = field(default_factory=list)
    records: Records = field(default_factory=Records)

    def __post_init__(self) -> None:
        parents = {FIRST: [], SECOND: [FIRST], COMMIT: [SECOND, FIRST], TOPIC: [FIRST]}
        history = History(parents, {"refs/heads/main": COMMIT, "refs/heads/topic": TOPIC})
        self.codecommit = CodeCommitWire(history, self.faults)
        target = {"repositoryName": "web", "sourceReference": "topic"}
        self.codecommit.ask("CreatePullRequest", {"title": "Change", "targets": [target]})

    def send(self, report: Report, **members: Any) -> Result:
        where = destination(**members)
        sender = Sender(
            records=self.records, secrets=Secrets(), http=self.codecommit, notices=Notices(), clock=lambda: 1_000.0
        )
        (planned,) = plan([where], report)
        return sender.send(where, planned, report).result

    def until_sent(self, report: Report) -> Result:
        return until_sent(lambda: self.send(report))

    def write(self, text: str, number: int = 0) -> None:
        """Comment on the commit as somebody else."""
        place = {"repositoryName": "web", "beforeCommitId": SECOND, "afterCommitId": COMMIT}
        token = {"clientRequestToken": f"person-{number}"}
        self.codecommit.ask("PostCommentForComparedCommit", {**place, **token, "content": text})

    def delete(self) -> None:
        (identity,) = [one.id for one in self.codecommit.comments._comments.values() if one.content]
        self.codecommit.ask("DeleteCommentContent", {"commentId": identity})


def test_a_commit_has_one_comment_which_is_kept_up_to_date() -> None:
    world = World()
    assert world.send(of(started())) is Result.SENT
    (begun,) = world.codecommit.texts()
    assert ": started" in begun
    assert world.send(of(finished())) is Result.SENT
    (ended,) = world.codecommit.texts()
    assert "succeeded after 1 min 35 s" in ended
    assert world.codecommit.operations == [
        "GetCommit",
        "GetCommentsForComparedCommit",
        "PostCommentForComparedCommit",
        "UpdateComment",
    ]
    assert world.codecommit.calls[2].parameters["beforeCommitId"] == SECOND


def test_the_first_commit_of_all_is_compared_with_none() -> None:
    world = World()
    assert world.send(of(started(), commit=FIRST)) is Result.SENT
    assert "beforeCommitId" not in world.codecommit.calls[-1].parameters


def test_a_pull_request_has_one_comment_although_its_commits_change() -> None:
    world = World()
    assert world.send(opened(started())) is Result.SENT
    moved = {"event": "referenceUpdated", "repositoryId": "1", "referenceFullName": "refs/heads/topic"}
    update = {"detail": {**moved, "commitId": SECOND, "callerUserArn": PERSON}}
    assert len(list(world.codecommit.pull_requests.source_updates(update))) == 1
    newer = {"request_id": "web-2", "requested_at": REQUESTED + timedelta(minutes=1)}
    # The record was lost, so the comment is looked for.
    world.records = Records()
    assert world.send(opened(started(**newer))) is Result.SENT
    assert world.send(opened(finished(Outcome.FAILED, **newer))) is Result.SENT
    (text,) = world.codecommit.texts()
    assert "failed" in text
    assert world.codecommit.operations == [
        *("GetPullRequest", "GetCommentsForPullRequest", "PostCommentForPullRequest"),
        *("GetPullRequest", "GetCommentsForPullRequest", "UpdateComment", "UpdateComment"),
    ]


def test_late_and_repeated_reports_change_nothing() -> None:
    world = World()
    assert world.send(of(finished())) is Result.SENT
    calls = len(world.codecommit.calls)
    assert world.send(of(started())) is Result.OUTDATED
    assert world.send(of(finished())) is Result.OUTDATED
    assert len(world.codecommit.calls) == calls


FAULTS = [None, lost, answers(429, "ThrottlingException"), answers(500, "InternalFailure"), lambda: Answer(200)]


@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=12),
    is_pull_request=st.booleans(),
    forgets=st.booleans(),
    others=st.sampled_from([0, 1, 250]),
)
def test_whatever_is_lost_there_is_one_comment_with_the_end(
    faults: list[Fault | None], is_pull_request: bool, forgets: bool, others: int
) -> None:
    world = World()
    for number in range(others):
        world.write(f"Comment {number}", number)
    world.codecommit.faults = faults
    make = opened if is_pull_request else of
    world.until_sent(make(started()))
    if forgets:
        world.records = Records()
    world.until_sent(make(finished()))
    (text,) = [text for text in world.codecommit.texts() if "amplify-jobs" in text]
    assert "succeeded" in text


def test_a_comment_that_was_deleted_is_made_again() -> None:
    world = World()
    world.send(of(started()))
    world.delete()
    assert world.send(of(finished())) is Result.SENT
    (text,) = world.codecommit.texts()
    assert "succeeded" in text


def test_a_copy_of_our_comment_is_left_alone_and_one_that_is_not_ours_is_not_changed() -> None:
    world = World()
    world.send(of(started()))
    (own,) = world.codecommit.texts()
    world.write(own)
    world.records = Records()
    assert world.send(of(finished())) is Result.SENT
    first, second = world.codecommit.texts()
    assert "succeeded" in first
    assert second == own
    # Another role, such as that of a stack that was made anew, has the comment now.
    for one in world.codecommit.comments._comments.values():
        one.author = PERSON
    newer = {"request_id": "web-2", "requested_at": REQUESTED + timedelta(minutes=1)}
    assert world.send(of(started(**newer))) is Result.SENT
    assert world.codecommit.texts()[:2] == [first, second]
    assert len(world.codecommit.texts()) == 3


def test_two_contexts_have_two_comments() -> None:
    world = World()
    for context in ("web", "docs"):
        world.send(of(started()), context=context)
    assert len(world.codecommit.texts()) == 2


def test_hostile_texts_fit_and_do_nothing() -> None:
    world = World()
    failure = Failure(cause="unknown", summary=HOSTILE, advice=HOSTILE, command=HOSTILE, excerpt=HOSTILE)
    report = of(finished(Outcome.FAILED, failure=failure), message=HOSTILE, author=HOSTILE)
    assert world.send(report) is Result.SENT
    (text,) = world.codecommit.texts()
    assert len(text) <= 10_240
    assert "\u202e" not in text
    assert not re.search(r"^(?!    ).*(<script|@everyone|\]\(https://evil)", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("report", "subject"),
    [
        (of(started()), f"web {COMMIT} amplify-jobs/web"),
        (opened(started()), "web pull request 1 amplify-jobs/web"),
        (of(rejected()), f"web {COMMIT} amplify-jobs/web"),
        (of(started(), commit=None), None),
        (of(started(), repository=None), None),
        (started(), None),
        (of(started(), kind="followed", source="amplify", host=HOST), f"web {COMMIT} amplify-jobs/web"),
        (of(started(), kind="followed", source="amplify", host="git-codecommit.eu-west-1.amazonaws.com.evil"), None),
        (of(started(), kind="followed", source="amplify", host=HOST.replace("west", "north")), None),
        (of(started(), kind="followed", source="amplify", host="github.com"), None),
    ],
)
def test_only_what_is_of_codecommit_in_the_region_of_the_stack_is_reported(report: Report, subject: str | None) -> None:
    where = destination()
    assert kind_of(where).subject(where, report) == subject


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (429, "ThrottlingException", Retry("HTTP 429")),
        (503, "ServiceUnavailable", Retry("HTTP 503")),
        (400, "EncryptionKeyUnavailableException", Retry("EncryptionKeyUnavailableException")),
        (400, "ExpiredTokenException", Retry("ExpiredTokenException")),
        (400, "RepositoryDoesNotExistException", Refused("RepositoryDoesNotExistException: No.")),
        (400, "CommitIdDoesNotExistException", Refused("CommitIdDoesNotExistException: No.")),
        (400, "IdempotencyParameterMismatchException", Refused("IdempotencyParameterMismatchException: No.")),
        (400, "EncryptionKeyDisabledException", Refused("EncryptionKeyDisabledException: No.")),
        (404, "NotFound", Refused("NotFound: No.")),
        (
            403,
            "AccessDeniedException",
            Refused(
                "AccessDeniedException: the parameter CommentRepositories of the stack does not name the repository"
            ),
        ),
    ],
)
def test_no_error_stops_the_target(status: int, code: str, expected: object) -> None:
    where = destination()
    answer = answers(status, code)()
    assert answer is not None
    assert kind_of(where).judge(where, of(started()), answer, None, 0.0) == expected


NONSENSE: list[Any] = [None, [], "text", {}, {"nonsense": [True]}]
STEPS: dict[str, list[Any]] = {
    "begin": [{"commit": {}}, {"commit": {"parents": "x"}}],
    "list": [{"commentsForComparedCommitData": "x"}],
    "create": [{"comment": {}}, {"comment": {"commentId": []}}],
    "update": [{"comment": None}],
}


@pytest.mark.parametrize(("step", "body"), [(step, body) for step, more in STEPS.items() for body in NONSENSE + more])
def test_an_answer_without_what_proves_it_is_asked_for_again(step: str, body: Any) -> None:
    where = destination()
    remote = json.dumps({"step": step, "before": SECOND, "after": COMMIT, "comment": "c"})
    answer = Answer(200, body=json.dumps(body).encode())
    assert isinstance(kind_of(where).judge(where, of(started()), answer, remote, 0.0), Retry)


@pytest.mark.parametrize(
    "targets", [None, [], ["x"], [{}], [{"repositoryName": "other", "sourceCommit": "a", "destinationCommit": "b"}]]
)
def test_a_pull_request_without_commits_of_the_repository_is_asked_for_again(targets: Any) -> None:
    where = destination()
    answer = Answer(200, body=json.dumps({"pullRequest": {"pullRequestTargets": targets}}).encode())
    assert isinstance(kind_of(where).judge(where, opened(started()), answer, None, 0.0), Retry)


@pytest.mark.parametrize("comments", [None, "x", [None], [{}], [{"commentId": "c", "content": None}]])
def test_comments_that_are_none_are_passed_over(comments: Any) -> None:
    where = destination()
    body = {"commentsForComparedCommitData": [{"comments": comments}]}
    remote = json.dumps({"step": "list", "before": SECOND, "after": COMMIT})
    verdict: Any = kind_of(where).judge(where, of(started()), Answer(200, body=json.dumps(body).encode()), remote, 0.0)
    assert json.loads(verdict.remote)["step"] == "create"
