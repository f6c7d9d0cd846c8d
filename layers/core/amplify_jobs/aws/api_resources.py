"""What the API works with, each made when a call needs it first: lists need the index alone.

All of it would be a third of the time until the first answer (benchmarks/cold_start.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.index_table import IndexTable
from amplify_jobs.indexing.reading import IndexReader
from amplify_jobs.settings import IntakeSettings

if TYPE_CHECKING:
    from amplify_jobs.aws.amplify import Amplify
    from amplify_jobs.aws.signed_http import AwsHttp
    from amplify_jobs.aws.stored_routes import StoredRoutes
    from amplify_jobs.steering.live_jobs import LiveJobs
    from amplify_jobs.steering.orders import Orders


class ApiSettings(IntakeSettings):
    """The environment variables of api."""

    aws_region: str
    aws_endpoint_url: str | None = None
    index_dead_letter_queue_url: str
    index_table: str
    badge_key: str = ""


class ApiResources:
    """The parts of one stack that the API works with; `now` is the clock."""

    def __init__(self, settings: ApiSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._dynamodb = dynamodb_client()
        self.reader = IndexReader(IndexTable(Table(self._dynamodb, settings.index_table), now), now)

    @cached_property
    def _aws(self) -> AwsHttp:
        from amplify_jobs.aws.signed_http import AwsHttp

        return AwsHttp.from_environment()

    @cached_property
    def _amplify(self) -> Amplify:
        from amplify_jobs.aws.amplify import Amplify

        return Amplify.connect()

    @cached_property
    def routes(self) -> StoredRoutes:
        from amplify_jobs.aws.stored_routes import StoredRoutes

        return StoredRoutes(self._aws, self._settings.bucket_name, self._settings.routes_key)

    @cached_property
    def live_jobs(self) -> LiveJobs:
        from amplify_jobs.aws.download import Downloads
        from amplify_jobs.steering.live_jobs import LiveJobs

        files = Downloads(self._settings.aws_endpoint_url or None)
        return LiveJobs(self._amplify, files, self._now, time.monotonic)

    @cached_property
    def orders(self) -> Orders:
        from amplify_jobs.aws.intake_resources import IntakeResources
        from amplify_jobs.aws.jobs_table.table import JobsTable
        from amplify_jobs.aws.task_tokens import TaskTokens
        from amplify_jobs.following.wake import Waker
        from amplify_jobs.steering.orders import Orders

        jobs = JobsTable(Table(self._dynamodb, self._settings.jobs_table))
        resources = IntakeResources.connect(self._aws, self._settings, self.routes)
        return Orders(
            reader=self.reader,
            routes=self.routes,
            intake=resources.intake,
            executions=resources.executions,
            hosting=self._amplify,
            stops=jobs,
            waker=Waker(jobs, TaskTokens.connect(), self._now),
            region=self._settings.aws_region,
            now=self._now,
        )

    def waiting_news(self) -> int | None:
        """How many messages wait for the index; None if SQS does not tell."""
        return self._count(self._settings.index_queue_url)

    def dead_news(self) -> int | None:
        """How many messages the index could not take; None if SQS does not tell."""
        return self._count(self._settings.index_dead_letter_queue_url)

    def _count(self, queue_url: str) -> int | None:
        from amplify_jobs.aws.queue_counts import count_messages

        return count_messages(self._aws, queue_url)
