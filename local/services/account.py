"""The services of one account and Region, joined to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from local.permissions.authorization import Authorization
from local.permissions.roles import Credentials, Roles
from local.server.service import Service
from local.services.clients import ACCESS_KEY, Clients
from local.services.codecommit.repositories import Place
from local.services.codecommit.service import CodeCommitService
from local.services.delivery import Deliverer
from local.services.events.service import EventsService
from local.services.functions.event_sources import EventSources
from local.services.functions.function import Function
from local.services.functions.service import LambdaService
from local.services.http_api import HttpApi
from local.services.moto import ACCOUNT, MotoBackend
from local.services.s3 import S3Service
from local.services.scheduler.service import SchedulerService
from local.services.sqs import SqsService
from local.services.step_functions.service import StepFunctionsService
from local.services.step_functions.task_clients import TaskClients
from local.services.targets import Targets


@dataclass(frozen=True)
class AccountSettings:
    """Where services are reached and keep their logs and repositories, and what AWS has longer waits for.

    `retry_seconds` are the waits before the second and third attempt at an asynchronous event.
    """

    region: str
    endpoint_url: str
    api_url: str
    log_folder: Path
    repository_folder: Path
    retry_seconds: Sequence[float]


@dataclass(frozen=True)
class AccountServices:
    """Every service but Amplify. What needs an end has it when the stack closes that they were made in."""

    moto: MotoBackend
    clients: Clients
    codecommit: CodeCommitService
    authorization: Authorization
    events: EventsService
    functions: LambdaService
    event_sources: EventSources
    scheduler: SchedulerService
    step_functions: StepFunctionsService
    http_api: HttpApi

    @property
    def by_name(self) -> Mapping[str, Service]:
        """The local cloud's own services, by signing name; moto has all others."""
        return {
            "codecommit": self.codecommit,
            "events": self.events,
            "lambda": self.functions,
            "s3": S3Service(self.moto, self.events.emit),
            "scheduler": self.scheduler,
            "sqs": SqsService(self.moto),
            "states": self.step_functions,
        }


def join_services(settings: AccountSettings, stack: ExitStack) -> AccountServices:
    """Make the services. `stack` ends them, each before those that it calls."""
    region, roles = settings.region, Roles()
    moto = MotoBackend(region)
    stack.callback(moto.reset)
    clients = Clients(settings.endpoint_url, region)
    stack.callback(clients.close)
    # Services call each other in circles: these lambdas find those that are made further below.
    authorization = Authorization(
        roles,
        account=ACCOUNT,
        region=region,
        machine_of=lambda token: step_functions.machine_of(token),  # noqa: PLW0108 -- made below
    )
    targets = Targets(
        clients,
        authorization,
        invoke=lambda arn, payload: functions.invoke_async(arn, payload),  # noqa: PLW0108 -- made below
        emit=lambda event, bus: events.emit(event, bus=bus),
    )
    deliverer = Deliverer(targets)
    stack.callback(deliverer.close)
    events = EventsService(account=ACCOUNT, region=region, deliverer=deliverer)
    place = Place(ACCOUNT, region, settings.endpoint_url, settings.repository_folder)
    codecommit = CodeCommitService(place, events.emit, authorization)

    def platform_variables(function: Function) -> dict[str, str]:
        credentials = roles.assume(function.role, function.name)
        return {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **(credentials or Credentials(ACCESS_KEY, ACCESS_KEY, "local")).variables(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": settings.endpoint_url,
        }

    functions = LambdaService(
        log_folder=settings.log_folder,
        platform_variables=platform_variables,
        targets=targets,
        retry_seconds=settings.retry_seconds,
    )
    stack.callback(functions.close)
    scheduler = SchedulerService(account=ACCOUNT, region=region, deliverer=deliverer)
    stack.callback(scheduler.close)
    event_sources = EventSources(clients, authorization, region, functions.invoke)
    stack.callback(event_sources.close)
    tasks = TaskClients(settings.endpoint_url, lambda role: roles.assume(role, "execution"))
    step_functions = StepFunctionsService(moto, events.emit, tasks)
    stack.callback(step_functions.close)
    http_api = HttpApi(account=ACCOUNT, url=settings.api_url, invoke=functions.invoke, may=authorization.may)
    return AccountServices(
        moto=moto,
        clients=clients,
        codecommit=codecommit,
        authorization=authorization,
        events=events,
        functions=functions,
        event_sources=event_sources,
        scheduler=scheduler,
        step_functions=step_functions,
        http_api=http_api,
    )
