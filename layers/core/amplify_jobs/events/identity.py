"""What makes an event new: one table with a row for each host and kind, and the evidence that a delivery gives.

An event whose content and evidence equal an earlier one's is that event again: a retry, or the same delivery sent anew.
Evidence is the host's own time where the body has one, since most hosts do not sign the delivery's id. Where it has
none, it is the id that stays the same over the retries of one delivery. docs/git-hosts.md shows this table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amplify_jobs.events import deliveries
from amplify_jobs.events.deliveries import Delivery, Headers
from amplify_jobs.events.event import Event, EventKind, PullRequestAction
from amplify_jobs.events.payload import LONGEST_NAME, member, text


@dataclass(frozen=True)
class Member:
    """A member of the body, by its path; one with `words` counts only where message.text has them."""

    path: str
    words: str | None = None


@dataclass(frozen=True)
class Time(Member):
    """A member that is the host's own time of the event."""


@dataclass(frozen=True)
class Header:
    """The id of a delivery: the first of these headers that it has."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What tells an event of a host and kind from others of the same content.

    The first of `choices` of which the delivery has anything counts, with all that it has of it. Where it has nothing
    of any and `else_delivery` is set, each delivery is an event of its own. `actions` are those of a pull request.
    """

    providers: tuple[str, ...]
    kinds: tuple[EventKind, ...]
    choices: tuple[tuple[Member | Header, ...], ...]
    actions: tuple[PullRequestAction, ...] = ()
    else_delivery: bool = False


_HOSTS = ("github", "gitlab", "bitbucket", "bitbucket-server", "gitea", "forgejo", "azure-devops", "codecommit")
_REFS = (EventKind.PUSH, EventKind.TAG)
_REFS_TOLD_TWICE = (*_REFS, EventKind.REF_CREATE, EventKind.REF_DELETE)
_PULL_REQUEST = (EventKind.PULL_REQUEST,)
_RELEASE = (EventKind.RELEASE,)

# A signed delivery has webhook-id (GitLab 19), any has the same Idempotency-Key (17.4), older ones a UUID.
_GITLAB_ID = Header(("webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID"))
_BITBUCKET_ID = Header(("X-Request-UUID",))

# The first row that fits an event is its own.
TABLE = (
    # A pull request is merged once, and what changes neither its code nor its state asks for nothing new.
    Row(_HOSTS, _PULL_REQUEST, (), (PullRequestAction.MERGED, PullRequestAction.OTHER)),
    Row(("github",), _REFS_TOLD_TWICE, ((Time("repository.pushed_at"),),)),
    Row(("github",), _PULL_REQUEST, ((Time("pull_request.updated_at"),),)),
    Row(
        ("github",),
        _RELEASE,
        # Enterprise Server tells when a release was published, but not when it was edited.
        ((Time("release.updated_at"),), (Time("release.published_at"), Header(("X-GitHub-Delivery",)))),
    ),
    Row(("gitlab",), _REFS, ((_GITLAB_ID,),), else_delivery=True),
    Row(("gitlab",), _PULL_REQUEST, ((Time("object_attributes.updated_at"), _GITLAB_ID),), else_delivery=True),
    Row(("gitlab",), _RELEASE, ((Time("released_at"), Time("created_at"), _GITLAB_ID),), else_delivery=True),
    Row(("bitbucket",), _REFS, ((_BITBUCKET_ID,),), else_delivery=True),
    Row(("bitbucket",), _PULL_REQUEST, ((Time("pullrequest.updated_on"),), (_BITBUCKET_ID,)), else_delivery=True),
    Row(("bitbucket-server",), _REFS, ((Time("date"),),)),
    Row(("bitbucket-server",), _PULL_REQUEST, ((Time("date"), Member("pullRequest.updatedDate")),)),
    Row(("gitea", "forgejo"), _REFS_TOLD_TWICE, ((Time("repository.updated_at"),),)),
    Row(
        ("gitea", "forgejo"),
        _PULL_REQUEST,
        # The pull request's time can be that of the change before; the push to its branch changes a repository's.
        (
            (
                Time("pull_request.updated_at"),
                Member("repository.updated_at"),
                Member("pull_request.head.repo.updated_at"),
            ),
        ),
    ),
    Row(
        ("gitea", "forgejo"),
        _RELEASE,
        # There is no time of an update.
        ((Time("release.published_at"), Header(("X-Forgejo-Delivery", "X-Gitea-Delivery"))),),
    ),
    Row(("azure-devops",), _REFS, ((Time("resource.date"),),)),
    Row(("azure-devops",), _PULL_REQUEST, ((Time("resource.closedDate"),),), (PullRequestAction.CLOSED,)),
    Row(
        ("azure-devops",),
        _PULL_REQUEST,
        # An update whose message does not say what it was counts as this too: a vote makes no merge commit.
        (
            (Time("createdDate", words="published the pull request"),),
            (Member("resource.lastMergeCommit.commitId"), Member("resource.mergeId")),
            (Time("createdDate"),),
        ),
        (PullRequestAction.OPENED,),
    ),
    Row(("azure-devops",), _PULL_REQUEST, ((Time("createdDate"),),)),
    Row(("codecommit",), (*_REFS, *_PULL_REQUEST), ((Time("time"),),)),
)


@dataclass(frozen=True)
class Origin:
    """Where events were read from: a provider's headers and body, or CodeCommit's event."""

    provider: str
    headers: Headers
    payload: Mapping[str, Any]

    def told_apart(self, event: Event) -> Event:
        """The event with its evidence, and with the first time in it as the time at which it happened.

        The evidence is None where the delivery itself is to be it: `delivery_told_apart` fills that in.
        """
        row = _row(self.provider, event)
        if row is None:
            return event
        values = next(filter(None, (dict(self._values(choice)) for choice in row.choices)), {})
        times = [value for source, value in values.items() if isinstance(source, Time)]
        evidence = None if row.else_delivery and not values else tuple(values.values())
        return event.model_copy(update={"evidence": evidence, "event_time": next(iter(times), None)})

    def _values(self, choice: Sequence[Member | Header]) -> Iterator[tuple[Member | Header, str]]:
        for source in choice:
            found = self._id(source) if isinstance(source, Header) else self._member(source)
            if found:
                yield source, found

    def _id(self, header: Header) -> str | None:
        return next(filter(None, (deliveries.delivery_id(self.headers, name) for name in header.names)), None)

    def _member(self, source: Member) -> str | None:
        if source.words and source.words not in (text(self.payload, "message", "text") or ""):
            return None
        found = member(self.payload, *source.path.split("."))
        written = str(found) if isinstance(found, int) else text({"": found}, "")
        return written and written[:LONGEST_NAME]


def delivery_told_apart(delivery: Delivery, name: str) -> Delivery:
    """The delivery, whose events that nothing else tells from others are told by a name that is its own."""
    events = (
        event.model_copy(update={"evidence": (name,)}) if event.evidence is None else event for event in delivery.events
    )
    return replace(delivery, events=tuple(events))


def _row(provider: str, event: Event) -> Row | None:
    action = event.pull_request.identity_action if event.pull_request else None
    for row in TABLE:
        if provider in row.providers and event.kind in row.kinds and (not row.actions or action in row.actions):
            return row
    return None
