"""Announces each notification once to programs and once to people, whatever fails in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from amplify_jobs.announcing.announcement import Announcement, DetailType
from amplify_jobs.announcing.compose import AppNames, StackInfo, compose
from amplify_jobs.announcing.notification import Notification
from amplify_jobs.announcing.published import PublishedAnnouncements
from amplify_jobs.errors import AmplifyJobsError, NotFoundError
from amplify_jobs.model.request import JobRequest


class Amplify(Protocol):
    """The names of apps and branches, as aws.amplify provides them."""

    def app_name_and_domain(self, app_id: str) -> tuple[str | None, str | None]: ...

    def branch_display_name(self, app_id: str, branch_name: str) -> str | None: ...


class Requests(Protocol):
    """The requests in the jobs table, as aws.jobs_table provides them."""

    def published_announcements(self, request_id: str) -> PublishedAnnouncements: ...

    def mark_announced(self, request_id: str, label: str, names: Mapping[str, Any], now: datetime) -> None: ...


class Publisher(Protocol):
    """The stack's topic and bus, as aws.publisher provides them."""

    def publish_to_topic(self, detail_type: DetailType, detail: Announcement) -> None: ...

    def put_event(self, detail_type: DetailType, detail: Announcement) -> None: ...


@dataclass(frozen=True)
class Announcer:
    """Announces for one stack; `now` is the clock."""

    amplify: Amplify
    requests: Requests
    publisher: Publisher
    stack: StackInfo
    logger: Logger
    now: Callable[[], datetime]

    def announce(self, notification: Notification) -> None:
        """Publish what was not published before. Raises ServiceTrouble; a repeat publishes the rest."""
        request = notification.request
        published = self.requests.published_announcements(request.request_id)
        names = self._names(request).fill_from(AppNames.model_validate(published.names))
        detail = compose(notification, names, self.stack)
        for audience, publish in (("programs", self.publisher.put_event), ("people", self.publisher.publish_to_topic)):
            labels = notification.labels(audience)
            if published.labels.isdisjoint(labels):
                publish(notification.detail_type, detail)
                self.requests.mark_announced(request.request_id, labels[0], names.as_stored(), self.now())

    def _names(self, request: JobRequest) -> AppNames:
        """Ask Amplify for the names. Without an answer, a job is announced by its ids rather than not at all."""
        names = AppNames()
        if request.app_id is None:
            return names
        try:
            app_name, domain = self.amplify.app_name_and_domain(request.app_id)
            names = AppNames(app_name=app_name, default_domain=domain)
            if request.branch_name is not None:
                display_name = self.amplify.branch_display_name(request.app_id, request.branch_name)
                names = names.model_copy(update={"display_name": display_name})
        except NotFoundError as error:
            self.logger.info("The app or the branch does not exist", extra={"reason": str(error)})
            names = names.model_copy(update={"exists": False})
        except AmplifyJobsError as error:
            self.logger.warning("The names are unknown", extra={"reason": str(error)})
        return names
