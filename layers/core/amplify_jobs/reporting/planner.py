"""Planning the reports of an announcement: each target that wants it gets a message in the queue of reports."""

from __future__ import annotations

from typing import Protocol

from aws_lambda_powertools import Logger

from amplify_jobs.reporting.destination import current_destinations
from amplify_jobs.reporting.planning import Plan, plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.routing.current_routes import CurrentRoutes

logger = Logger(child=True)


class Queue(Protocol):
    """The queue of reports; aws.report_queue.ReportQueue."""

    def put(self, plan: Plan, report: Report) -> None: ...


class Planner:
    """Plans the reports of announcements by the routes that were pushed."""

    def __init__(self, routes: CurrentRoutes, queue: Queue) -> None:
        self._routes = routes
        self._queue = queue

    def plan(self, report: Report, only: str | None = None) -> int:
        """Put the reports of an announcement into the queue, and give their number. Safe to call again.

        `only` is the one target that gets it, where it is replayed for one. Raises ServiceTrouble.
        """
        destinations = current_destinations(self._routes)
        plans = list(plan([destination for destination in destinations if only in (None, destination.name)], report))
        for target_plan in plans:
            self._queue.put(target_plan, report)
        logger.info(
            "Reports planned", extra={**report.log_keys(), "targets": [target_plan.target for target_plan in plans]}
        )
        return len(plans)
