"""How a pull request comes to meet the conditions of a route after it was opened, and to need its preview no more."""

from __future__ import annotations

from amplify_jobs.events.event import PullRequest, PullRequestAction
from amplify_jobs.routing.conditions import PullRequests
from amplify_jobs.routing.github_patterns import last_match

_ENDS = (PullRequestAction.CLOSED, PullRequestAction.MERGED)


def late_opening(conditions: PullRequests, pull: PullRequest) -> str:
    """How a pull request came to meet a route's conditions after it was opened; empty where it did not now.

    For the route it is as if the pull request was opened then.
    """
    if not conditions.drafts and pull.became_ready:
        return ", opened for the route as it became ready"
    earlier, patterns = pull.previous_target, conditions.targets or ()
    if (
        earlier is not None
        and last_match(patterns, earlier) is None
        and last_match(patterns, pull.target or "") is not None
    ):
        return f", opened for the route as its target was {earlier}"
    return ""


def ending(conditions: PullRequests, pull: PullRequest) -> str | None:
    """How a pull request came to need no preview of a route any more; None if it did not by this event."""
    if pull.action in _ENDS:
        return f"pull request {pull.number} was {pull.action}"
    patterns, earlier = conditions.targets, pull.previous_target
    if patterns is None or pull.target is None or last_match(patterns, pull.target) is not None:
        return None
    if earlier is not None and last_match(patterns, earlier) is not None:
        return f"pull request {pull.number} is no longer for {earlier}, but for {pull.target}"
    # Where it was for another one before, there is no preview to take away.
    return f"pull request {pull.number} may no longer be for one of the targets" if pull.target_unclear else None
