"""One comment on a pull request, kept up to date, at the git host that a delivery came from.

What is left of a call (`remote`) says what is next: "page 2", the page of comments in which ours is looked for; "new",
to make one; "at 123", to change the one with this identity.
"""

from __future__ import annotations

import hashlib

from amplify_jobs.reporting.call import Accepted, Answer, Call, Continued, Refused, Verdict
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.hosts import CONTEXT_LIMIT, Comment, Host, Repository, host_of
from amplify_jobs.reporting.hosts.names import distinct_name
from amplify_jobs.reporting.kinds.comment_text import comment_text
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.wording import filled
from amplify_jobs.routing.report_targets import PullRequestComment

# Of a host that begins with the newest comments: older ones than these were hardly made by us and then forgotten.
_MOST_PAGES = 5
_MISSING = frozenset({404, 410})


def subject(destination: Destination, report: Report) -> str | None:
    """A comment belongs to a pull request and a context. A token is for its source alone."""
    cause = report.cause
    if cause.source != destination.repository_target.source or not cause.repository or cause.pull_request is None:
        return None
    return f"{cause.repository} pull request {cause.pull_request} {_context(destination, report)}"


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    """Look for our comment, unless its identity is known: an answer may have been lost, or the record of it."""
    host, comment = host_of(destination), _comment(destination, report)
    place = Repository(destination.repository_target, credentials, report.cause.repository or "")
    step, _, value = (remote or "page 1").partition(" ")
    match step:
        case "at":
            return host.change_comment(place, comment, value)
        case "new":
            return host.create_comment(place, comment)
        case _:
            return host.list_comments(place, comment, int(value))


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """What is next: a comment that was deleted is looked for once more, and one that is not ours is left alone."""
    host = host_of(destination)
    step, _, value = (remote or "page 1").partition(" ")
    if step == "at" and answer.status in _MISSING:
        return Continued("page 1")
    verdict = host.judge(answer, now)
    if step == "at" and answer.status == 403 and isinstance(verdict, Refused):
        return Continued("new", kept=False)
    if not isinstance(verdict, Accepted):
        return verdict
    if step == "at":
        following = host.next_change(value, answer)
        return Continued(f"at {following}", kept=False) if following else Accepted(f"at {value.split()[0]}")
    if step == "new":
        identity = answer.identity("id")
        return Accepted(f"at {identity}" if identity else None)
    return _judge_page(host, _comment(destination, report), answer, int(value))


def _judge_page(host: Host, comment: Comment, answer: Answer, page: int) -> Continued:
    """Who copies our marker does so after us: the oldest comment with it is ours."""
    matches = [identity for identity, text in host.comments(answer) if text.lstrip().startswith(comment.marker)]
    if matches:
        return Continued(f"at {matches[0] if host.IS_OLDEST_FIRST else matches[-1]}")
    if host.has_more(answer) and (host.IS_OLDEST_FIRST or page < _MOST_PAGES):
        # A comment that is made meanwhile comes on the last page, or on the first.
        return Continued(f"page {page + 1}", kept=host.IS_OLDEST_FIRST)
    # Not kept: if the answer is lost, the comment is looked for.
    return Continued("new", kept=False)


def _comment(destination: Destination, report: Report) -> Comment:
    mark = _marker(destination, report)
    text = comment_text(report, host_of(destination).COMMENT_LIMIT, mark)
    return Comment(report.cause.pull_request or 0, mark, text)


def _marker(destination: Destination, report: Report) -> str:
    """A line that no host shows. It differs by stack, target, pull request and context, and nobody can guess it."""
    machine, _, _ = report.detail.execution.rpartition(":")
    digest = hashlib.sha256(f"{machine}\n{destination.name}\n{subject(destination, report)}".encode()).hexdigest()
    return f"[//]: # (amplify-jobs {digest[:32]})"


def _context(destination: Destination, report: Report) -> str:
    target = destination.target
    return distinct_name(
        filled(target.context if isinstance(target, PullRequestComment) else "", report), CONTEXT_LIMIT
    )
