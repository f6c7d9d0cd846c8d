"""AWS Lambda, as far as the local cloud has it: functions of the template, invoked at once or asynchronously.

Operations: Invoke, GetFunction, GetFunctionConfiguration, ListFunctions. Any other is refused by name.
API: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.server.http_server import DropConnectionError, client_gone
from local.server.protocol.errors import ServiceError, not_implemented
from local.server.protocol.match import read_request
from local.server.protocol.respond import respond
from local.services.functions.async_invocation import AsyncConfig, AsyncEvents, Event
from local.services.functions.function import Function
from local.services.functions.pool import CallerGoneError, EnvironmentPool
from local.services.functions.processes import ForkServer, Program
from local.services.functions.runtime import EventNotTakenError, ExecutionEnvironment, Invocation, Outcome
from local.services.targets import Targets

MAX_ENVIRONMENTS = 4
"""Processes per function at once; more events wait. AWS starts a thousand, a developer's machine has a few cores."""
MAX_REQUEST_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024
LOG_TAIL_BYTES = 4096
FUNCTION_NAME = re.compile(
    r"(?:arn:aws:lambda:[a-z0-9-]+:\d{12}:function:|(?:\d{12}:)?function:)?([\w-]+)(?::([\w$-]+))?"
)


class LambdaService:
    """The functions of the template and their processes.

    `platform_variables` are set in every function's process, over those of the template: endpoint, Region, credentials.
    `targets` and `retry_seconds` are for asynchronous events.
    """

    def __init__(
        self,
        *,
        log_folder: Path,
        platform_variables: Callable[[Function], Mapping[str, str]],
        targets: Targets,
        retry_seconds: Sequence[float],
    ) -> None:
        self._log_folder = log_folder
        self._platform_variables = platform_variables
        self._events = AsyncEvents(self._invoke_event, targets, retry_seconds)
        self._processes = ForkServer()
        self._functions: dict[str, Function] = {}
        self._async_configs: dict[str, AsyncConfig] = {}
        self._pools: dict[str, EnvironmentPool] = {}
        self._in_flight: dict[str, int] = {}
        self._lock = threading.Lock()

    # --- Set-up ------------------------------------------------------------------------------------------------------

    def add(self, function: Function) -> None:
        self._functions[function.name] = function
        limit = min(MAX_ENVIRONMENTS, function.reserved_concurrency or MAX_ENVIRONMENTS)
        self._pools[function.name] = EnvironmentPool(lambda: self._start(self.function(function.name)), limit)
        self._in_flight[function.name] = 0

    def load_packages(self) -> None:
        """Begin to load what functions begin with, so that the first event need not wait for it."""
        for function in list(self._functions.values())[:1]:
            self._processes.load_packages(self._variables(function))

    def configure_async(self, name: str, config: AsyncConfig) -> None:
        """Set what becomes of a function's asynchronous events; raises ServiceError for an unknown function."""
        self._async_configs[self.function(name).name] = config

    def close(self) -> None:
        self._events.close()
        for pool in self._pools.values():
            pool.close()
        self._processes.close()

    # --- What is there -----------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        return sorted(self._functions)

    def function(self, name_or_arn: str) -> Function:
        """A function by name, partial ARN or ARN; raises ServiceError as AWS does."""
        match = FUNCTION_NAME.fullmatch(name_or_arn)
        if match is None:
            raise ServiceError("ValidationException", f"{name_or_arn!r} is no name or ARN of a function", 400)
        if match[1] not in self._functions or match[2] not in {None, "$LATEST"}:
            raise ServiceError("ResourceNotFoundException", f"Function not found: {name_or_arn}", 404)
        return self._functions[match[1]]

    def pids(self, name: str) -> list[int]:
        """The process ids of a function's execution environments."""
        return self._pools[self.function(name).name].pids()

    def log_file(self, name: str) -> Path:
        """Where a function's output goes; raises ServiceError for an unknown function."""
        return self._log_folder / f"{self.function(name).name}.log"

    # --- Invoking ----------------------------------------------------------------------------------------------------

    def invoke(self, name: str, payload: bytes, *, client_context: str | None = None) -> Outcome:
        """Run a function to its end; raises ServiceError where AWS would not have invoked it."""
        return self._invoke(self.function(name), payload, str(uuid4()), client_context)

    def invoke_async(self, name: str, payload: bytes, request_id: str | None = None) -> None:
        """Accept an event, to be run with retries; raises ServiceError for an unknown function."""
        function = self.function(name)
        config = self._async_configs.get(function.name, AsyncConfig())
        self._events.accept(Event(function, payload, request_id or str(uuid4()), config))

    def _invoke_event(self, event: Event) -> Outcome:
        return self._invoke(event.function, event.payload, event.request_id, None)

    def _invoke(
        self,
        function: Function,
        payload: bytes,
        request_id: str,
        client_context: str | None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Outcome:
        reserved = function.reserved_concurrency
        with self._lock:
            if reserved is not None and self._in_flight[function.name] >= reserved:
                raise ServiceError("TooManyRequestsException", "Rate Exceeded.", 429)
            self._in_flight[function.name] += 1
        try:
            invocation = Invocation(request_id, payload, function.arn, function.timeout_seconds, client_context)
            while True:
                environment = self._pools[function.name].acquire(is_wanted)
                try:
                    return self._run(function, environment, invocation)
                except EventNotTakenError:
                    continue
                finally:
                    self._pools[function.name].release(environment)
        finally:
            with self._lock:
                self._in_flight[function.name] -= 1

    def _run(self, function: Function, environment: ExecutionEnvironment, invocation: Invocation) -> Outcome:
        request_id = invocation.request_id
        self._write_log(function, f"START RequestId: {request_id} Version: $LATEST")
        started = time.monotonic()
        outcome = environment.invoke(invocation)
        milliseconds = (time.monotonic() - started) * 1000
        if outcome.function_error and b'"Sandbox.Timedout"' in outcome.payload:
            moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._write_log(
                function, f"{moment} {request_id} Task timed out after {function.timeout_seconds:.2f} seconds"
            )
        self._write_log(function, f"END RequestId: {request_id}")
        self._write_log(function, f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms")
        return outcome

    def _write_log(self, function: Function, line: str) -> None:
        with self.log_file(function.name).open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    def _variables(self, function: Function) -> dict[str, str]:
        group = f"/aws/lambda/{function.name}"
        return {
            **_inherited(),
            **function.variables,
            **self._platform_variables(function),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid4().hex}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "LAMBDA_TASK_ROOT": str(function.folder),
            "LAMBDA_RUNTIME_DIR": str(function.folder),
            "_HANDLER": function.handler,
            "TZ": ":UTC",
            "PYTHONPATH": ":".join(str(path) for path in (function.folder, *function.layers)),
            "PYTHONUNBUFFERED": "1",
        }

    def _start(self, function: Function) -> ExecutionEnvironment:
        log_file = self.log_file(function.name)
        program = Program(function.handler, function.folder, self._variables(function), log_file)
        environment = ExecutionEnvironment(self._processes, program)
        self._write_log(function, f"INIT_REPORT Init Duration: {environment.init_seconds * 1000:.2f} ms")
        return environment

    # --- The API -----------------------------------------------------------------------------------------------------

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        operation, parameters = read_request(service, request)
        match operation.name:
            case "Invoke":
                return self._handle_invoke(parameters, request)
            case "GetFunction":
                function = self.function(parameters["FunctionName"])
                code = {"RepositoryType": "S3", "Location": function.folder.as_uri()}
                reserved = function.reserved_concurrency
                concurrency = None if reserved is None else {"ReservedConcurrentExecutions": reserved}
                answer = {"Configuration": function.configuration(), "Code": code, "Concurrency": concurrency}
                return respond(operation, answer)
            case "GetFunctionConfiguration":
                return respond(operation, self.function(parameters["FunctionName"]).configuration())
            case "ListFunctions":
                functions = [self._functions[name].configuration() for name in self.names()]
                return respond(operation, {"Functions": functions})
        raise not_implemented(service, operation.name)

    def _handle_invoke(self, parameters: Mapping[str, Any], request: Request) -> Response:
        function = self.function(parameters["FunctionName"])
        qualifier = parameters.get("Qualifier", "$LATEST")
        if qualifier != "$LATEST":
            raise ServiceError("ResourceNotFoundException", f"Function not found: {function.arn}:{qualifier}", 404)
        payload: bytes = parameters.get("Payload") or b"{}"
        kind = parameters.get("InvocationType", "RequestResponse")
        limit = MAX_EVENT_BYTES if kind == "Event" else MAX_REQUEST_BYTES
        if len(payload) > limit:
            message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            raise ServiceError("RequestTooLargeException", message, 413)
        try:
            json.loads(payload)
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            raise ServiceError("InvalidRequestContentException", message, 400) from None
        request_id = str(uuid4())
        headers = {"x-amzn-RequestId": request_id}
        match kind:
            case "DryRun":
                return Response(b"", 204, headers)
            case "Event":
                self.invoke_async(function.name, payload, request_id)
                return Response(b"", 202, headers)
            case "RequestResponse":
                pass
            case _:
                raise ServiceError("InvalidParameterValueException", f"no InvocationType is called {kind!r}", 400)
        log_file = self.log_file(function.name)
        before = log_file.stat().st_size if log_file.exists() else 0
        context = parameters.get("ClientContext")
        try:
            outcome = self._invoke(function, payload, request_id, context, lambda: not client_gone(request))
        except CallerGoneError:
            # On AWS nothing waits for a process. What was never begun here never arrived, as a task that was timed out.
            raise DropConnectionError from None
        headers["X-Amz-Executed-Version"] = "$LATEST"
        if outcome.function_error:
            headers["X-Amz-Function-Error"] = outcome.function_error
        if parameters.get("LogType") == "Tail":
            # Events that run at the same time write to the same file, so that their lines may be among these.
            tail = log_file.read_bytes()[before:][-LOG_TAIL_BYTES:]
            headers["X-Amz-Log-Result"] = base64.b64encode(tail).decode("ascii")
        return Response(outcome.payload, 200, headers, content_type="application/json")


def _inherited() -> dict[str, str]:
    """What a process needs of the machine; nothing of the user's AWS settings may reach a function."""
    return {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8"}
