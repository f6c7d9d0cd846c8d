"""The local cloud: everything of it, started and stopped as one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from local.activity import Activity, Show
from local.amplify import LocalAmplify
from local.amplify.addresses import Addresses
from local.amplify.context import AmplifyContext
from local.amplify.status_events import StatusEvents
from local.aws_endpoint import Endpoint
from local.console import LocalConsole
from local.pages import LocalPages
from local.permissions.authorization import Authorization
from local.permissions.roles import Credentials
from local.report_targets import ReportTargets
from local.server.faults import Faults
from local.server.http_server import LOOPBACK, HttpServer, Listen
from local.services.account import AccountSettings, join_services
from local.services.events.service import EventsService
from local.services.functions.service import LambdaService
from local.services.http_api import MAX_BODY_BYTES, HttpApi
from local.services.moto import ACCOUNT
from local.template.cloudformation import CloudFormationService, Stack, stack_of
from local.template.loader import Pseudo, Template
from local.template.resources import Resources, SkippedResource

AMPLIFY_SERVICES = ("amplify", "amplifyuibuilder", "amplifybackend")

RETRY_SECONDS = (1.0, 2.0)
"""Waits before the second and third attempt at an asynchronous event, where AWS waits one and two minutes."""


@dataclass(frozen=True)
class CloudSettings:
    """Where a local cloud listens, what it runs the template with, and where it keeps its files.

    The ports may be 0 for any free port. `also_at` is an address to listen at besides 127.0.0.1, as Docker's bridge for
    the containers of `sam local`: whoever reaches it can run commands here, since a build does. `names` are host names,
    beside localhost, by which the local cloud may be called. `parameters` go over the template's defaults and over what
    the local cloud sets where the template has it: EndpointUrl, SiteUrl and ConsoleUrl. Logs and builds are kept in
    `state_dir`, else in a temporary folder that goes away with the cloud. `show` is given a line for each thing that
    happens (activity.py).
    """

    aws_port: int = 4566
    http_port: int = 3000
    also_at: str = LOOPBACK
    names: Collection[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    stack_name: str = "amplify-jobs"
    state_dir: Path | None = None
    retry_seconds: Sequence[float] = RETRY_SECONDS
    show: Show | None = None


@dataclass(frozen=True)
class Servers:
    """The two ports of a local cloud."""

    aws: HttpServer
    http: HttpServer


class LocalCloud:
    """The stack of a template, run on this machine. A context manager; only one can run in a process at a time.

    PortOccupiedError is raised for a port in use. `start` raises TemplateError for what the local cloud can't run.
    """

    def __init__(self, template: Path, settings: CloudSettings | None = None) -> None:
        settings = settings or CloudSettings()
        region = os.environ.get("AWS_REGION") or "eu-west-1"
        self._template_path = template
        self._parameters = settings.parameters
        self._pseudo = Pseudo(ACCOUNT, region, settings.stack_name)
        self._resources: Resources | None = None
        self._cloudformation_stack: Stack | None = None
        self.outputs: dict[str, Any] = {}
        self.faults = Faults()
        self.reports = ReportTargets()
        self._activity = Activity(settings.show) if settings.show is not None else None
        with ExitStack() as stack:
            self.state_dir = _state_dir(settings, stack)
            # Nothing else before both ports are this cloud's: one that can't start must leave everything as it is.
            self._servers = _bind(settings, stack)
            self._services = join_services(
                AccountSettings(
                    region=region,
                    endpoint_url=self.endpoint_url,
                    api_url=self.api_url,
                    log_folder=_log_folder(self.state_dir),
                    repository_folder=self.state_dir / "codecommit",
                    retry_seconds=settings.retry_seconds,
                ),
                stack,
            )
            amplify = self._amplify(stack)
            console = LocalConsole(api_url=self.api_url, endpoint_url=self.endpoint_url, region=region)
            stack.callback(console.close)
            cloudformation = CloudFormationService(lambda: self._cloudformation_stack)
            self._endpoint = Endpoint(
                moto=self._services.moto,
                services={
                    **self._services.by_name,
                    **dict.fromkeys(AMPLIFY_SERVICES, amplify),
                    "cloudformation": cloudformation,
                },
                faults=self.faults,
                authorization=self.authorization,
                pages=LocalPages(self.faults, self.authorization, self.functions, amplify, self.reports, console),
            )
            stack.callback(self._endpoint.close)
            self._stack = stack.pop_all()

    def _amplify(self, stack: ExitStack) -> LocalAmplify:
        status_events = StatusEvents(self.faults, self.events.emit)
        stack.callback(status_events.close)
        addresses = Addresses(account=self.account, region=self.region, base_url=self.endpoint_url)
        context = AmplifyContext(
            addresses,
            self.state_dir / "amplify",
            status_events.emit,
            s3=lambda: self._services.clients.s3,
            clone_address=self._services.codecommit.clone_address,
        )
        amplify = LocalAmplify(context)
        stack.callback(amplify.close)
        return amplify

    # --- Start and stop ----------------------------------------------------------------------------------------------

    def start(self) -> LocalCloud:
        """Start everything; once this returns, all of the template is there and answers."""
        try:
            self._services.moto.start(self._servers.aws.port)
            self._servers.aws.start(self._activity.of_endpoint(self._endpoint) if self._activity else self._endpoint)
            self._servers.http.start(self._activity.of_api(self.http_api) if self._activity else self.http_api)
            if self._activity:
                self.events.listen(self._activity.event)
            self._services.scheduler.start()
            template = Template(self._template_path, self._parameters, self._pseudo, defaults=self._own_parameters())
            self._resources = Resources(template, self._pseudo, self._services)
            self._resources.make_all()
            outputs = self._resources.outputs()
            self.outputs = {name: output["Value"] for name, output in outputs.items()}
            self._cloudformation_stack = stack_of(self._resources, outputs, created=datetime.now(UTC))
        except BaseException:
            self.stop()
            raise
        self.http_api.ready = True
        return self

    def stop(self) -> None:
        """Stop everything, end all processes of functions and builds, and free the ports; idempotent."""
        self.http_api.ready = False
        self._stack.close()

    def __enter__(self) -> LocalCloud:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- What is there -----------------------------------------------------------------------------------------------

    @property
    def account(self) -> str:
        return self._pseudo.account

    @property
    def region(self) -> str:
        return self._pseudo.region

    @property
    def endpoint_url(self) -> str:
        return self._servers.aws.url

    @property
    def api_url(self) -> str:
        return self._servers.http.url

    @property
    def authorization(self) -> Authorization:
        return self._services.authorization

    @property
    def events(self) -> EventsService:
        return self._services.events

    @property
    def functions(self) -> LambdaService:
        return self._services.functions

    @property
    def http_api(self) -> HttpApi:
        return self._services.http_api

    @property
    def left_out(self) -> list[SkippedResource]:
        """The template's resources that have no meaning on one machine."""
        return [] if self._resources is None else self._resources.left_out

    def physical_id(self, logical_id: str) -> str:
        """What Ref gives for a resource of the template; raises KeyError for one that it does not have."""
        if self._resources is None:
            raise KeyError(logical_id)
        return self._resources.physical_id(logical_id)

    def credentials(self, logical_id: str) -> Credentials:
        """Credentials of somebody who has the rights of a role or managed policy of the template, and no others.

        Raises KeyError for what is neither.
        """
        if self._resources is None:
            raise KeyError(logical_id)
        return self._resources.credentials(logical_id)

    def _own_parameters(self) -> dict[str, str]:
        return {
            "EndpointUrl": self.endpoint_url,
            "SiteUrl": f"{self.endpoint_url}/_local/sites/{{appId}}/{{branchName}}/",
            "ConsoleUrl": f"{self.endpoint_url}/_local/jobs/{{appId}}/{{branchName}}/{{jobId}}",
        }


def _state_dir(settings: CloudSettings, stack: ExitStack) -> Path:
    if settings.state_dir is not None:
        return settings.state_dir.absolute()
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="local-cloud-"))).absolute()


def _bind(settings: CloudSettings, stack: ExitStack) -> Servers:
    aws = HttpServer("aws-endpoint", Listen(settings.aws_port, settings.also_at, settings.names, subdomains=True))
    stack.callback(aws.close)
    http = HttpServer("http-api", Listen(settings.http_port, settings.also_at, settings.names), max_body=MAX_BODY_BYTES)
    stack.callback(http.close)
    return Servers(aws, http)


def _log_folder(state_dir: Path) -> Path:
    folder = state_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for log_file in folder.glob("*.log"):
        # Nothing else outlives a stop, so that logs of executions that are gone would only mislead.
        log_file.unlink()
    return folder
