"""What functions that take events in share: executions, the intake queue, the log of deliveries, and what uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from amplify_jobs.aws.executions import Executions
from amplify_jobs.aws.index_queue import IndexQueue
from amplify_jobs.aws.intake_queue import IntakeQueue
from amplify_jobs.aws.ref_records import StoredRefRecords
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.intake.accept import Intake
from amplify_jobs.intake.claims import Claims
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.record import DeliveryLog
from amplify_jobs.settings import IntakeSettings


def connect_claims(aws: AwsHttp, settings: IntakeSettings) -> Claims | None:
    """The claims of refs in the jobs table; None where nothing is reconciled."""
    return Claims(StoredRefRecords(aws, settings.jobs_table)) if settings.jobs_table else None


@dataclass(frozen=True)
class IntakeResources:
    """What the intake works with, over one signed client."""

    executions: Executions
    queue: IntakeQueue
    log: DeliveryLog
    processor: EventProcessor

    @classmethod
    def connect(
        cls, aws: AwsHttp, settings: IntakeSettings, routes: StoredRoutes | None = None, claims: Claims | None = None
    ) -> Self:
        """Put the parts together, with routes that are read already or of their own.

        `claims` are those of refs that are reconciled.
        """
        routes = routes or StoredRoutes(aws, settings.bucket_name, settings.routes_key)
        executions = Executions(aws, settings.state_machine_arn, settings.bucket_name)
        return cls(
            executions=executions,
            queue=IntakeQueue(aws, settings.intake_queue_url, settings.bucket_name),
            log=DeliveryLog(IndexQueue(aws, settings.index_queue_url)),
            processor=EventProcessor(routes, executions, claims),
        )

    @property
    def intake(self) -> Intake:
        return Intake(self.processor, self.queue, self.log)
