"""The local cloud: everything of it, started and stopped as one."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from werkzeug.wrappers import Request, Response

from local.amplify import LocalAmplify
from local.amplify.status_events import StatusEvents
from local.aws_endpoint import Endpoint, Service
from local.permissions.authorization import Authorization
from local.permissions.roles import Credentials, Roles
from local.server import wire
from local.server.faults import BadOrderError, Faults
from local.server.http_server import LOOPBACK, HttpServer
from local.services.clients import ACCESS_KEY, Clients
from local.services.events.service import EventsService
from local.services.functions.event_sources import EventSources
from local.services.functions.runtime import Outcome
from local.services.functions.service import Function, LambdaService
from local.services.http_api import MAX_BODY_BYTES, HttpApi
from local.services.moto import ACCOUNT, MotoBackend
from local.services.s3 import S3Service
from local.services.scheduler.service import SchedulerService
from local.services.sqs import SqsService
from local.services.step_functions.service import Executions
from local.services.step_functions.task_clients import TaskClients
from local.services.targets import Targets
from local.template.cloudformation import CloudFormationService, Stack, stack_of
from local.template.loader import Pseudo, Template
from local.template.resources import Resources, SkippedResource

AMPLIFY_SERVICES = ("amplify", "amplifyuibuilder", "amplifybackend")

RETRY_SECONDS = (1.0, 2.0)
"""Waits before the second and third attempt at an asynchronous event, where AWS waits one and two minutes."""


class LocalCloud:
    """The stack of a template, run on this machine. A context manager; only one can run in a process at a time.

    `aws_port` and `http_port` may be 0 for any free port; PortOccupiedError is raised for one in use. `also_at` is
    an address to listen at besides 127.0.0.1, as Docker's bridge for the containers of `sam local`: whoever reaches it
    can run commands here, since a build does. `names` are host names, beside localhost, by which it may be called.
    `parameters` go over the template's defaults and over what the local cloud sets where the template has it:
    EndpointUrl, SiteUrl and ConsoleUrl. Logs and builds are kept in `state_dir`, else in a temporary folder that goes
    away with the cloud. `start` raises TemplateError for what the local cloud can't run.
    """

    def __init__(
        self,
        template: Path,
        *,
        aws_port: int = 4566,
        http_port: int = 3000,
        parameters: Mapping[str, str] | None = None,
        also_at: str = LOOPBACK,
        names: Collection[str] = (),
        stack_name: str = "amplify-jobs",
        state_dir: Path | None = None,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self.region = os.environ.get("AWS_REGION") or "eu-west-1"
        self.account = ACCOUNT
        self.faults = Faults()
        self.outputs: dict[str, Any] = {}
        self._template_path = template
        self._parameters = dict(parameters or {})
        self._pseudo = Pseudo(self.account, self.region, stack_name)
        with ExitStack() as stack:
            if state_dir is None:
                state_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="local-cloud-")))
            self.state_dir = state_dir.absolute()
            self._aws_server = HttpServer(
                self._answer, port=aws_port, also_at=also_at, names=names, subdomains=True, name="aws-endpoint"
            )
            stack.callback(self._aws_server.close)
            self.endpoint_url = self._aws_server.url
            self.http_api = HttpApi(account=self.account, invoke=self._invoke)
            self._http_server = HttpServer(
                self.http_api,
                port=http_port,
                also_at=also_at,
                names=names,
                name="http-api",
                max_body=MAX_BODY_BYTES,
            )
            stack.callback(self._http_server.close)
            self.api_url = self._http_server.url
            # Not before both ports are this cloud's: one that can't start must leave everything as it is.
            log_folder = self.state_dir / "logs"
            log_folder.mkdir(parents=True, exist_ok=True)
            for old in log_folder.glob("*.log"):
                # Nothing else outlives a stop, so that logs of executions that are gone would only mislead.
                old.unlink()
            self._moto = MotoBackend()
            stack.callback(self._moto.reset)
            self._clients = Clients(self.endpoint_url, self.region)
            stack.callback(self._clients.close)
            roles = Roles()
            self.authorization = Authorization(
                roles,
                account=self.account,
                region=self.region,
                machine_of=self._machine_of,
            )
            targets = Targets(self._clients, self.authorization)
            self.events = EventsService(account=self.account, region=self.region, targets=targets)
            stack.callback(self.events.close)
            self.functions = LambdaService(
                log_folder=log_folder,
                platform_variables=self._platform_variables,
                targets=targets,
                retry_seconds=retry_seconds,
            )
            stack.callback(self.functions.close)
            targets.invoke_async, targets.emit = self.functions.invoke_async, self.events.emit
            self.scheduler = SchedulerService(account=self.account, region=self.region, targets=targets)
            stack.callback(self.scheduler.close)
            self._sqs = SqsService(self._moto, self.region)
            self._s3 = S3Service(self._moto, self.region, self.events.emit)
            self._event_sources = EventSources(self._clients, self.authorization, self.region, self.functions.invoke)
            stack.callback(self._event_sources.close)
            self.executions = Executions(
                self._moto,
                self.region,
                self.events.emit,
                TaskClients(self.endpoint_url, lambda role: roles.assume(role, "execution")),
            )
            stack.callback(self.executions.close)
            status_events = StatusEvents(self.faults, self.events.emit)
            stack.callback(status_events.close)
            self.amplify = LocalAmplify(
                state_dir=self.state_dir / "amplify",
                account=self.account,
                region=self.region,
                base_url=self.endpoint_url,
                emit=status_events.emit,
                s3=lambda: self._clients.s3,
            )
            stack.callback(self.amplify.close)
            self._endpoint = Endpoint(
                moto=self._moto,
                region=self.region,
                services=self._services(),
                faults=self.faults,
                authorization=self.authorization,
                local=self._answer_local,
                sites=self.amplify.local,
            )
            stack.callback(self._endpoint.close)
            self._resources: Resources | None = None
            self._cloudformation_stack: Stack | None = None
            self._stack = stack.pop_all()

    # --- Start and stop ----------------------------------------------------------------------------------------------

    def start(self) -> LocalCloud:
        """Start everything; once this returns, all of the template is there and answers."""
        try:
            self._moto.start(self._aws_server.port)
            for part in (self._aws_server, self._http_server, self.scheduler):
                part.start()
            template = Template(self._template_path, self._parameters, self._pseudo, defaults=self._own_parameters())
            self._resources = Resources(
                template,
                self._pseudo,
                clients=self._clients,
                functions=self.functions,
                events=self.events,
                scheduler=self.scheduler,
                event_sources=self._event_sources,
                http_api=self.http_api,
                roles=self.authorization.roles,
                api_url=self.api_url,
            )
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

    def _platform_variables(self, function: Function) -> dict[str, str]:
        credentials = self.authorization.roles.assume(function.role, function.name)
        return {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **(credentials or Credentials(ACCESS_KEY, ACCESS_KEY, "local")).variables(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }

    def _own_parameters(self) -> dict[str, str]:
        return {
            "EndpointUrl": self.endpoint_url,
            "SiteUrl": f"{self.endpoint_url}/_local/sites/{{appId}}/{{branchName}}/",
            "ConsoleUrl": f"{self.endpoint_url}/_local/jobs/{{appId}}/{{branchName}}/{{jobId}}",
        }

    # --- How the parts are joined ------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        return self._endpoint(request)

    def _machine_of(self, token: str) -> str | None:
        return self.executions.machine_of(token)

    def _invoke(self, function_arn: str, payload: bytes) -> Outcome:
        return self.functions.invoke(function_arn, payload)

    def _services(self) -> dict[str, Service]:
        cloudformation = CloudFormationService(lambda: self._cloudformation_stack)
        return {
            **dict.fromkeys(AMPLIFY_SERVICES, self.amplify.handle),
            "lambda": lambda _, request: self.functions.handle(request),
            "events": lambda _, request: self.events.handle(request),
            "scheduler": lambda _, request: self.scheduler.handle(request),
            "states": self.executions.handle,
            "cloudformation": lambda _, request: cloudformation.handle(request),
            "s3": self._s3.handle,
            "sqs": self._sqs.handle,
        }

    def _answer_local(self, request: Request) -> Response | None:
        """The addresses under /_local/, which AWS does not have."""
        if request.path == "/_local/faults":
            return self._answer_faults(request)
        if request.path == "/_local/permissions" and request.method == "GET":
            return _json(self.authorization.report(), 200)
        name = request.path.removeprefix("/_local/logs/functions/")
        if name != request.path and request.method == "GET":
            return self._function_log(name)
        return self.amplify.local(request)

    def _answer_faults(self, request: Request) -> Response:
        status = 200
        match request.method:
            case "POST":
                try:
                    self.faults.order(json.loads(request.get_data()))
                except BadOrderError as error:
                    return _json({"message": str(error)}, 400)
                except ValueError as error:
                    return _json({"message": f"the order is no JSON: {error}"}, 400)
                status = 201
            case "DELETE":
                self.faults.clear()
            case "GET":
                pass
            case _:
                return _json({"message": "faults know GET, POST and DELETE"}, 405)
        return _json({"faults": self.faults.open()}, status)

    def _function_log(self, name: str) -> Response:
        try:
            path = self.functions.log_file(name)
        except wire.ServiceError as error:
            return _json({"message": f"{error.message}; there are {', '.join(self.functions.names())}"}, 404)
        text = path.read_bytes() if path.exists() else b""
        return Response(text, content_type="text/plain; charset=utf-8")


def _json(document: Mapping[str, Any], status: int) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
