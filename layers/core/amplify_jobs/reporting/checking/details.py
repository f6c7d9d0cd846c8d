"""What the answers to probes tell beyond that a target accepts them: scopes, permissions, and the ends of tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from amplify_jobs.reporting.call import Answer
from amplify_jobs.reporting.checking.finding import Finding, Result

Detail = Callable[[Answer, float], Finding | None]
"""What an answer that the target accepted tells beyond, at a time in seconds since 1970; None if nothing."""

# A token that ends so soon is told of.
_SOON_SECONDS = 14 * 86_400.0
# A kind of target -> the permission of an App, and the scopes of a classic token of which one suffices.
_GITHUB_RIGHTS = {
    "commit_status": ("statuses", ("repo", "repo:status")),
    "deployment": ("deployments", ("repo", "repo_deployment")),
    "pull_request_comment": ("pull_requests", ("repo", "public_repo")),
}
_DEVELOPER = 30


def github_scopes(kind: str) -> Detail:
    """Whether a classic token has a scope for a kind of target (header X-OAuth-Scopes)."""
    _, needed = _GITHUB_RIGHTS.get(kind, ("", ("repo",)))

    def detail(answer: Answer, _: float) -> Finding | None:
        listed = answer.headers.get("x-oauth-scopes")
        if listed is None:
            message = "GitHub does not tell the rights of a fine-grained token"
            return Finding("right", Result.UNKNOWN, message, remedy="--send with --commit shows whether it may write")
        scopes = {scope.strip() for scope in listed.split(",")}
        if scopes.isdisjoint(needed):
            return _fault("right", f"the token has the scopes {listed or 'none'}", f"give it {' or '.join(needed)}")
        return None

    return detail


def github_repository(answer: Answer, _: float) -> Finding | None:
    """Whether the repository takes anything (API: Get a repository)."""
    if answer.member("archived") is True:
        return _fault("repository", "the repository is archived, and takes nothing", "take it out of the routes")
    return None


def app_permission(kind: str) -> Detail:
    """Whether an App may write for a kind of target (API: Get a repository installation for the authenticated app)."""
    permission, _ = _GITHUB_RIGHTS.get(kind, ("statuses", ()))

    def detail(answer: Answer, _: float) -> Finding | None:
        if answer.member("suspended_at") is not None:
            return _fault("right", "the installation is suspended", "unsuspend it in the settings of the organization")
        if answer.member("permissions", permission) == "write":
            return None
        remedy = f"give it {permission}: Read and write, and accept the change where it is installed"
        return _fault("right", f"the App has no right to write {permission}", remedy)

    return detail


def gitlab_token(answer: Answer, now: float) -> Finding | None:
    """Whether the token has the scope api, and when it ends (API: Personal access tokens, self)."""
    scopes = answer.member("scopes")
    if isinstance(scopes, list) and "api" not in scopes:
        return _fault("right", f"the token has the scopes {', '.join(map(str, scopes))}", "make one with the scope api")
    try:
        end = datetime.fromisoformat(str(answer.member("expires_at"))).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    if end - now < _SOON_SECONDS:
        remedy = "make another, and store it under another name"
        return Finding("token", Result.DOUBT, f"the token ends on {answer.member('expires_at')}", remedy=remedy)
    return None


def gitlab_role(answer: Answer, _: float) -> Finding | None:
    """Whether the token's user is a Developer of the project at least (API: Get a single project)."""
    levels = [answer.member("permissions", access, "access_level") for access in ("project_access", "group_access")]
    if max((level for level in levels if isinstance(level, int)), default=0) < _DEVELOPER:
        return _fault("right", "the token's user is no Developer of the project", "give it the role Developer")
    return None


def bitbucket_scopes(answer: Answer, _: float) -> Finding | None:
    """Whether the token may write repositories (header X-OAuth-Scopes)."""
    listed = answer.headers.get("x-oauth-scopes")
    if listed is not None and not any("repository" in scope and "write" in scope for scope in listed.split(",")):
        return _fault("right", f"the token has the scopes {listed}", "give it the right to write repositories")
    return None


def gitea_right(answer: Answer, _: float) -> Finding | None:
    """Whether the token's user may write to the repository (API: Get a repository)."""
    if answer.member("permissions", "push") is False:
        return _fault("right", "the token's user may not write to the repository", "give it the right to write")
    return None


def slack_scopes(answer: Answer, _: float) -> Finding | None:
    """Whether the bot may write messages (API: auth.test, header X-OAuth-Scopes)."""
    listed = answer.headers.get("x-oauth-scopes")
    if listed is not None and "chat:write" not in {scope.strip() for scope in listed.split(",")}:
        return _fault("right", f"the bot has the scopes {listed}", "add chat:write, and install the app again")
    return None


def amazon_q_channel(answer: Answer, _: float) -> Finding | None:
    """Whether Amazon Q Developer has subscribed to the topic (API: SNS ListSubscriptionsByTopic)."""
    endpoints = [str(subscription.get("Endpoint")) for subscription in answer.elements("Subscriptions")]
    # Amazon Q Developer subscribes at this address (administrator guide, "Testing notifications").
    if any("chatbot." in endpoint for endpoint in endpoints) or answer.member("NextToken"):
        return None
    message = "Amazon Q Developer has not subscribed to the topic"
    return Finding("channel", Result.DOUBT, message, remedy="connect a channel to the output ChatTopicArn")


def _fault(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, Result.FAULT, message, remedy=remedy)
