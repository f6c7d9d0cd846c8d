"""One comment on a commit or a pull request in CodeCommit, kept up to date. The caller's role signs: there is no token.

Source: CodeCommit's API reference. What is left of a call (`remote`) is JSON, and says what is next: "begin", to learn
which commits are compared; "list", to look for our comment; "create", to make one; "update", to change the one with
this id.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from amplify_jobs.events.codecommit import SOURCE
from amplify_jobs.model.request import FOLLOWED
from amplify_jobs.reporting.call import Accepted, Answer, AwsCall, Continued, Refused, Retry, Verdict, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.hosts import CONTEXT_LIMIT
from amplify_jobs.reporting.hosts.names import distinct_name
from amplify_jobs.reporting.kinds.comment_text import comment_text
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.wording import filled
from amplify_jobs.routing.report_targets import CodeCommitComment

# CommentContentSizeLimitExceededException.
COMMENT_LIMIT = 10_240
_PAGE_SIZE = 100
# What a later call escapes, whatever was sent.
_PASSING = {
    "EncryptionKeyUnavailableException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
}
_GONE = {"CommentDeletedException", "CommentDoesNotExistException"}
_FOREIGN = "CommentNotCreatedByCallerException"


@dataclass(frozen=True)
class _Step:
    """What is next. `before` and `after` are the commits that are compared; the first commit of all has none before."""

    step: str = "begin"
    before: str | None = None
    after: str | None = None
    page: str | None = None
    comment: str | None = None
    # A comment with our marker that is not ours: another one is made, and not looked for.
    foreign: bool = False

    @classmethod
    def read(cls, remote: str | None) -> _Step:
        return cls(**json.loads(remote)) if remote else cls()

    @property
    def remote(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value})


def subject(destination: Destination, report: Report) -> str | None:
    """A comment belongs to a commit or a pull request, and a context. The events are those of the stack's Region."""
    cause = report.cause
    if not _is_of_stack(report) or not cause.repository:
        return None
    if cause.pull_request is not None:
        return f"{cause.repository} pull request {cause.pull_request} {_context(destination, report)}"
    return f"{cause.repository} {cause.commit} {_context(destination, report)}" if cause.commit else None


def _is_of_stack(report: Report) -> bool:
    cause = report.cause
    if cause.kind != FOLLOWED:
        return cause.source == SOURCE
    host = f"git-codecommit.{report.detail.region}.amazonaws.com"
    return cause.host in {host, f"{host}.cn"}


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> AwsCall:
    """Look for our comment, unless its id is known: an answer may have been lost, or the record of it."""
    step, cause = _Step.read(remote), report.cause
    is_pull_request = cause.pull_request is not None
    if step.step == "update":
        return _call("UpdateComment", commentId=step.comment, content=_text(destination, report))
    if step.step == "begin":
        return (
            _call("GetPullRequest", pullRequestId=str(cause.pull_request))
            if is_pull_request
            else _call("GetCommit", repositoryName=cause.repository, commitId=cause.commit)
        )
    kind = "PullRequest" if is_pull_request else "ComparedCommit"
    place = {
        "pullRequestId": str(cause.pull_request) if is_pull_request else None,
        "repositoryName": cause.repository,
        "beforeCommitId": step.before,
        "afterCommitId": step.after,
    }
    if step.step == "create":
        content = _text(destination, report)
        return _call(
            f"PostCommentFor{kind}", **place, content=content, clientRequestToken=_digest(step.remote, content)
        )
    if is_pull_request:
        # Its commits change while it is open, and the comment is to be found after that.
        place |= {"beforeCommitId": None, "afterCommitId": None}
    return _call(f"GetCommentsFor{kind}", **place, nextToken=step.page, maxResults=_PAGE_SIZE)


def _call(operation: str, **parameters: Any) -> AwsCall:
    return AwsCall("codecommit", operation, {name: value for name, value in parameters.items() if value is not None})


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """What is next: a comment that was deleted is made again, and one that is not ours is left alone."""
    step = _Step.read(remote)
    if answer.status != 200:
        return _judge_error(step, answer, now)
    match step.step:
        case "update":
            return Accepted(remote) if answer.identity("comment", "commentId") else _incomplete("comment")
        case "create":
            comment = answer.identity("comment", "commentId")
            return Accepted(_Step("update", comment=comment).remote) if comment else _incomplete("comment")
        case "list":
            return _judge_list(destination, report, step, answer)
        case _:
            return _begun(report, step, answer)


def _judge_error(step: _Step, answer: Answer, now: float) -> Verdict:
    code = answer.member("code")
    if step.step == "update" and code in _GONE | {_FOREIGN}:
        return Continued(_Step(foreign=code == _FOREIGN).remote)
    return judge_status(answer, now)


def judge_status(answer: Answer, now: float) -> Verdict:
    """What an answer means, whatever was called. Each is about one repository or commit, so none stops the target."""
    code = str(answer.member("code") or f"HTTP {answer.status}")
    verdict = judge_by_status(answer, now)
    if not isinstance(verdict, Refused):
        return verdict
    if code in _PASSING:
        return Retry(code)
    if answer.status == 403:
        return Refused(f"{code}: the parameter CommentRepositories of the stack does not name the repository")
    return Refused(f"{code}: {answer.member('message')}")


def _begun(report: Report, step: _Step, answer: Answer) -> Verdict:
    """Learn which commits are compared, from the commit or the pull request."""
    following = "create" if step.foreign else "list"
    if report.cause.pull_request is None:
        parents = answer.member("commit", "parents")
        if not isinstance(parents, list):
            return _incomplete("parents")
        before = str(parents[0]) if parents else None
        return Continued(_Step(following, before=before, after=report.cause.commit).remote, kept=False)
    for target in answer.elements("pullRequest", "pullRequestTargets"):
        before, after = target.get("destinationCommit"), target.get("sourceCommit")
        if target.get("repositoryName") == report.cause.repository and before and after:
            return Continued(_Step(following, before=str(before), after=str(after)).remote, kept=False)
    return _incomplete("pullRequestTargets")


def _judge_list(destination: Destination, report: Report, step: _Step, answer: Answer) -> Verdict:
    """Who copies our marker does so after us: the oldest comment with it is ours."""
    kind = "commentsForPullRequestData" if report.cause.pull_request is not None else "commentsForComparedCommitData"
    if not isinstance(answer.member(kind), list):
        return _incomplete(kind)
    marker = _marker(destination, report)
    comments = [
        comment
        for group in answer.elements(kind)
        for comment in group.get("comments") or []
        if isinstance(comment, dict) and comment.get("commentId") and not comment.get("deleted")
    ]
    own_comments = [comment for comment in comments if str(comment.get("content")).lstrip().startswith(marker)]
    if own_comments:
        oldest = min(own_comments, key=lambda comment: str(comment.get("creationDate")))
        return Continued(_Step("update", comment=str(oldest["commentId"])).remote)
    if page := answer.identity("nextToken"):
        return Continued(replace(step, page=page).remote, kept=False)
    # Not kept: if the answer is lost, the comment is looked for.
    return Continued(replace(step, step="create", page=None).remote, kept=False)


def _incomplete(member: str) -> Retry:
    return Retry(f"CodeCommit answered without {member}")


def _text(destination: Destination, report: Report) -> str:
    return comment_text(report, COMMENT_LIMIT, _marker(destination, report))


def _marker(destination: Destination, report: Report) -> str:
    """A line that Markdown does not show. It differs by stack, target and subject, and nobody can guess it."""
    machine, _, _ = report.detail.execution.rpartition(":")
    return f"[//]: # (amplify-jobs {_digest(machine, destination.name, subject(destination, report) or '')[:32]})"


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _context(destination: Destination, report: Report) -> str:
    target = destination.target
    template = target.context if isinstance(target, CodeCommitComment) else ""
    return distinct_name(filled(template, report), CONTEXT_LIMIT)
