"""Answers questions about requests, branches and deliveries from the index alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from amplify_jobs.errors import BadQueryError, UnknownItemError
from amplify_jobs.indexing import items
from amplify_jobs.indexing.answers import BranchState, Health, Page, RequestState, RequestSummary
from amplify_jobs.indexing.branch import BranchRecord
from amplify_jobs.indexing.deliveries import DeliverySummary
from amplify_jobs.indexing.paging import ListQuery, Lists, read_page
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.intake.record import DeliveryRecord

MOST_OPEN = 100
"""So many requests that have not ended are shown with their branches."""
_STATES = {
    "running": (RequestState.STARTED,),
    "waiting": (RequestState.RECEIVED,),
    "finished": (RequestState.FINISHED, RequestState.REJECTED),
}


class Index(Lists, Protocol):
    """The table of the index; aws.index_table.IndexTable. Every method raises ServiceTrouble."""

    def record(self, key: tuple[str, str]) -> str | None: ...

    def health(self) -> tuple[datetime, int] | None: ...

    def items_of(
        self, partition: str, *, limit: int, after: str | None = None
    ) -> tuple[list[dict[str, Any]], bool]: ...


@dataclass(frozen=True)
class RequestFilter:
    """Which requests are listed; `app` is an id or a name, `commit` may be short, `state` is a word of the API."""

    app: str | None = None
    branch: str | None = None
    repository: str | None = None
    commit: str | None = None
    state: str | None = None
    route: str | None = None


@dataclass(frozen=True)
class IndexReader:
    """Reads the index; `now` is the clock."""

    index: Index
    now: Callable[[], datetime]

    def requests(self, filters: RequestFilter, limit: int, token: str | None) -> Page[RequestSummary]:
        """List requests, the newest first. Raises BadQueryError, ServiceTrouble."""
        app_id = self._app_id(filters.app) if filters.app else None
        states = _STATES[filters.state] if filters.state else None

        def is_shown(request: RequestSummary) -> bool:
            return (
                (app_id is None or request.app_id == app_id)
                and (filters.branch is None or request.branch_name == filters.branch)
                and (filters.route is None or request.route == filters.route)
                and (filters.repository is None or (request.repository or "").lower() == filters.repository.lower())
                and (filters.commit is None or (request.commit or "").startswith(filters.commit.lower()))
                and (states is None or request.state in states)
            )

        index, partitions = self._list(filters, app_id)
        is_filtered = filters != RequestFilter()
        query = ListQuery(index, partitions, RequestSummary, is_shown, is_filtered=is_filtered)
        entries, following = read_page(self.index, query, limit, token)
        return Page[RequestSummary](items=entries, next=following, as_of=self.as_of())

    def _list(self, filters: RequestFilter, app_id: str | None) -> tuple[str, tuple[str, ...]]:
        """The list that has the fewest items beside those that are asked for."""
        if filters.commit is not None:
            if len(filters.commit) < items.SHA_DIGITS:
                raise BadQueryError(f"commit needs at least {items.SHA_DIGITS} digits")
            return "commits", (filters.commit[: items.SHA_DIGITS].lower(),)
        if filters.state in ("running", "waiting"):
            return "open", tuple(state.value for state in _STATES[filters.state])
        if app_id is not None and filters.branch is not None:
            return "branches", (items.branch_partition(app_id, filters.branch),)
        if app_id is not None:
            return "apps", (app_id,)
        return "periods", items.periods("requests", self.now(), items.REQUESTS_LAST)

    def _app_id(self, app: str) -> str:
        """The id of an app that is named by its id or its name."""
        stored, _ = self.index.items_of(items.app_partition(app), limit=2)
        if len(stored) > 1:
            ids = " and ".join(item["sk"] for item in stored)
            raise BadQueryError(f"several apps have the name {app}; give an id: {ids}")
        return str(stored[0]["sk"]) if stored else app

    def record(self, request_id: str) -> RequestRecord:
        """What is known of a request. Raises UnknownItemError, ServiceTrouble."""
        text = self.index.record(items.request_key(request_id))
        if text is None:
            raise UnknownItemError(f"there is no request {request_id[:100]}; GET /requests lists those of 90 days")
        return RequestRecord.model_validate_json(text)

    def deliveries(
        self, source: str | None, repository: str | None, limit: int, token: str | None
    ) -> Page[DeliverySummary]:
        """List deliveries, the newest first. Raises BadQueryError, ServiceTrouble."""

        def is_shown(delivery: DeliverySummary) -> bool:
            return (source is None or delivery.source == source) and (
                repository is None or (delivery.repository or "").lower() == repository.lower()
            )

        partitions = items.periods("deliveries", self.now(), items.DELIVERIES_LAST)
        is_filtered = source is not None or repository is not None
        query = ListQuery("periods", partitions, DeliverySummary, is_shown, is_filtered=is_filtered)
        entries, following = read_page(self.index, query, limit, token)
        return Page[DeliverySummary](items=entries, next=following, as_of=self.as_of())

    def delivery(self, delivery_id: str) -> DeliveryRecord:
        """What is known of a delivery. Raises UnknownItemError, ServiceTrouble."""
        text = self.index.record(items.delivery_key(delivery_id))
        if text is None:
            raise UnknownItemError(
                f"there is no delivery {delivery_id[:100]}; GET /deliveries lists those of 30 days. "
                "A delivery that was refused is only counted."
            )
        return DeliveryRecord.model_validate_json(text)

    def branches(self, limit: int, token: str | None) -> Page[BranchState]:
        """List branches by app and name, with their newest request that has not ended. Raises ServiceTrouble."""
        stored, has_more = self.index.items_of(items.BRANCHES, limit=limit, after=token)
        following = stored[-1]["sk"] if stored and has_more else None
        states = self._states([BranchRecord.model_validate_json(item["record"]) for item in stored])
        return Page[BranchState](items=states, next=following, as_of=self.as_of())

    def one_branch(self, app: str, branch_name: str) -> Page[BranchState]:
        """A page of one branch of an app, which its id or name names; of none if no job was followed there.

        Raises BadQueryError, ServiceTrouble.
        """
        record = self.branch(self._app_id(app), branch_name)
        return Page[BranchState](items=self._states([record] if record else []), as_of=self.as_of())

    def _states(self, branches: Sequence[BranchRecord]) -> tuple[BranchState, ...]:
        open_requests = self._open_requests()
        # A branch of which no job was announced knows the app by its id alone.
        names = {branch.app_id: branch.app_name for branch in branches if branch.app_name}
        return tuple(
            BranchState(
                app_id=branch.app_id,
                app_name=branch.app_name or names.get(branch.app_id),
                branch_name=branch.branch_name,
                live=branch.live,
                last=branch.last,
                running=open_requests.get(items.branch_partition(branch.app_id, branch.branch_name)),
            )
            for branch in branches
        )

    def branch(self, app_id: str, branch_name: str) -> BranchRecord | None:
        """What is known of a branch; None if nothing is. Raises ServiceTrouble."""
        text = self.index.record(items.branch_key(app_id, branch_name))
        return BranchRecord.model_validate_json(text) if text else None

    def _open_requests(self) -> dict[str, RequestSummary]:
        """The newest request of each branch that has not ended; one that runs comes before one that waits."""
        newest: dict[str, RequestSummary] = {}
        for state in (RequestState.STARTED, RequestState.RECEIVED):
            stored, _ = self.index.page("open", state.value, limit=MOST_OPEN, before=None)
            for item in stored:
                request = RequestSummary.model_validate_json(item["summary"])
                if request.app_id and request.branch_name:
                    newest.setdefault(items.branch_partition(request.app_id, request.branch_name), request)
        return newest

    def as_of(self) -> datetime:
        """When the index was written last; now if it never was."""
        health = self.index.health()
        return health[0] if health else self.now()

    def health(self, waiting: int | None, dead: int | None) -> Health:
        """How current the index is, with the counts of messages that wait for it; None where they are not known."""
        health, warnings = self.index.health(), []
        if health is None:
            warnings.append("Nothing was indexed yet: the index begins with the first event after the deployment.")
        if waiting is None or dead is None:
            warnings.append("The queues of the index can't be read.")
        if waiting:
            warnings.append(f"{waiting} messages wait to be indexed: lists may be older than what happened.")
        if dead:
            warnings.append(f"{dead} messages could not be indexed; docs/runbook.md, Index, says what to do.")
        as_of, lag = health or (None, None)
        return Health(as_of=as_of, lag_seconds=lag, warnings=tuple(warnings))
