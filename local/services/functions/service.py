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
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.server import wire
from local.server.http_server import DropConnectionError, client_gone
from local.services.functions.async_invocation import AsyncConfig, AsyncEvents, Event
from local.services.functions.runtime import INIT_SECONDS, EventNotTakenError, ExecutionEnvironment, Invocation, Outcome
from local.services.targets import Targets

MAX_ENVIRONMENTS = 4
"""Processes per function at once; more events wait. AWS starts a thousand, a developer's machine has a few cores."""
MAX_REQUEST_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024
LOG_TAIL_BYTES = 4096
FUNCTION_NAME = re.compile(
    r"(?:arn:aws:lambda:[a-z0-9-]+:\d{12}:function:|(?:\d{12}:)?function:)?([\w-]+)(?::([\w$-]+))?"
)


@dataclass(frozen=True)
class Function:
    """One function of the template, its variables and paths resolved."""

    name: str
    arn: str
    handler: str
    folder: Path
    variables: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int
    layers: Sequence[Path] = ()
    layer_arns: Sequence[str] = ()
    description: str = ""
    runtime: str = ""
    role: str = ""
    dead_letter_arn: str | None = None
    reserved_concurrency: int | None = None
    last_modified: datetime = field(default_factory=lambda: datetime.now(UTC))


class CallerGoneError(Exception):
    """Whoever asked for an invocation hung up before it began."""


class _Pool:
    """The execution environments of one function: idle ones are used again, new ones start up to the limit.

    Who waits for one is served in the order of coming.
    """

    def __init__(self, start: Callable[[], ExecutionEnvironment], limit: int) -> None:
        self._start = start
        self._free = limit
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._idle: list[ExecutionEnvironment] = []
        self._all: set[ExecutionEnvironment] = set()
        self._starting = 0
        self._started = threading.Condition(self._lock)
        self._closed = False

    def pids(self) -> list[int]:
        with self._lock:
            return [environment.pid for environment in self._all if environment.alive]

    def acquire(self, is_wanted: Callable[[], bool]) -> ExecutionEnvironment:
        """Wait for an environment. Raises CallerGoneError if it is not wanted any more when its turn has come."""
        self._wait_for_turn()
        try:
            environment = (self._idle_one() or self._new_one()) if is_wanted() else None
        except BaseException:
            self._pass_turn()
            raise
        if environment is None:
            self._pass_turn()
            raise CallerGoneError
        return environment

    def release(self, environment: ExecutionEnvironment) -> None:
        if not environment.alive:
            environment.close()
        with self._lock:
            if environment.alive and not self._closed:
                self._idle.append(environment)
            else:
                self._all.discard(environment)
        self._pass_turn()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for turn in self._waiting:
                turn.set()
            # One that is starting would outlive the local cloud, and call what is no longer there.
            self._started.wait_for(lambda: self._starting == 0, timeout=INIT_SECONDS)
            environments = list(self._all)
        for environment in environments:
            environment.close()

    def _wait_for_turn(self) -> None:
        turn = threading.Event()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            self._waiting.append(turn)
        turn.wait()

    def _pass_turn(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _idle_one(self) -> ExecutionEnvironment | None:
        with self._lock:
            while self._idle and not self._closed:
                environment = self._idle.pop()
                if environment.alive:
                    return environment
                self._all.discard(environment)
                environment.close()
        return None

    def _new_one(self) -> ExecutionEnvironment:
        with self._lock:
            if self._closed:
                raise wire.ServiceError("ServiceException", "The local cloud was stopped.", 500)
            self._starting += 1
        environment = None
        try:
            environment = self._start()
        finally:
            with self._lock:
                self._starting -= 1
                if environment is not None:
                    self._all.add(environment)
                closed = self._closed
                self._started.notify_all()
        if closed:
            environment.close()
        return environment


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
        self._functions: dict[str, Function] = {}
        self._async_configs: dict[str, AsyncConfig] = {}
        self._pools: dict[str, _Pool] = {}
        self._in_flight: dict[str, int] = {}
        self._lock = threading.Lock()

    # --- Set-up ------------------------------------------------------------------------------------------------------

    def add(self, function: Function) -> None:
        self._functions[function.name] = function
        limit = min(MAX_ENVIRONMENTS, function.reserved_concurrency or MAX_ENVIRONMENTS)
        self._pools[function.name] = _Pool(lambda: self._start(self.function(function.name)), limit)
        self._in_flight[function.name] = 0

    def configure_async(self, name: str, config: AsyncConfig) -> None:
        """Set what becomes of a function's asynchronous events; raises ServiceError for an unknown function."""
        function = self.function(name)
        self._async_configs[function.name] = replace(
            config, dead_letter_arn=function.dead_letter_arn, role=function.role
        )

    def close(self) -> None:
        self._events.close()
        for pool in self._pools.values():
            pool.close()

    # --- What is there -----------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        return sorted(self._functions)

    def function(self, name_or_arn: str) -> Function:
        """A function by name, partial ARN or ARN; raises ServiceError as AWS does."""
        found = FUNCTION_NAME.fullmatch(name_or_arn)
        if found is None:
            raise wire.ServiceError("ValidationException", f"{name_or_arn!r} is no name or ARN of a function", 400)
        if found[1] not in self._functions or found[2] not in {None, "$LATEST"}:
            raise wire.ServiceError("ResourceNotFoundException", f"Function not found: {name_or_arn}", 404)
        return self._functions[found[1]]

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
        default = AsyncConfig(dead_letter_arn=function.dead_letter_arn, role=function.role)
        config = self._async_configs.get(function.name, default)
        self._events.accept(Event(function.arn, payload, request_id or str(uuid4()), config))

    def _invoke_event(self, event: Event) -> Outcome:
        return self._invoke(self.function(event.function_arn), event.payload, event.request_id, None)

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
                raise wire.ServiceError("TooManyRequestsException", "Rate Exceeded.", 429)
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

    def _start(self, function: Function) -> ExecutionEnvironment:
        group = f"/aws/lambda/{function.name}"
        variables = {
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
        environment = ExecutionEnvironment(function.handler, function.folder, variables, self.log_file(function.name))
        self._write_log(function, f"INIT_REPORT Init Duration: {environment.init_seconds * 1000:.2f} ms")
        return environment

    # --- The API -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        operation, parameters = wire.match("lambda", request)
        match operation.name:
            case "Invoke":
                return self._handle_invoke(parameters, request)
            case "GetFunction":
                function = self.function(parameters["FunctionName"])
                code = {"RepositoryType": "S3", "Location": function.folder.as_uri()}
                return wire.respond(operation, {"Configuration": _configuration(function), "Code": code})
            case "GetFunctionConfiguration":
                return wire.respond(operation, _configuration(self.function(parameters["FunctionName"])))
            case "ListFunctions":
                functions = [_configuration(self._functions[name]) for name in self.names()]
                return wire.respond(operation, {"Functions": functions})
        raise wire.not_implemented("lambda", operation.name)

    def _handle_invoke(self, parameters: Mapping[str, Any], request: Request) -> Response:
        function = self.function(parameters["FunctionName"])
        qualifier = parameters.get("Qualifier", "$LATEST")
        if qualifier != "$LATEST":
            raise wire.ServiceError("ResourceNotFoundException", f"Function not found: {function.arn}:{qualifier}", 404)
        payload: bytes = parameters.get("Payload") or b"{}"
        kind = parameters.get("InvocationType", "RequestResponse")
        limit = MAX_EVENT_BYTES if kind == "Event" else MAX_REQUEST_BYTES
        if len(payload) > limit:
            message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            raise wire.ServiceError("RequestTooLargeException", message, 413)
        try:
            json.loads(payload)
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            raise wire.ServiceError("InvalidRequestContentException", message, 400) from None
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
                raise wire.ServiceError("InvalidParameterValueException", f"no InvocationType is called {kind!r}", 400)
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


def _configuration(function: Function) -> dict[str, Any]:
    return {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Runtime": function.runtime,
        "Role": function.role,
        "Handler": function.handler,
        "Description": function.description,
        "Timeout": int(function.timeout_seconds),
        "MemorySize": function.memory_mb,
        "LastModified": function.last_modified.isoformat(),
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Environment": {"Variables": dict(function.variables)},
        "Layers": [{"Arn": arn} for arn in function.layer_arns],
    }


def _inherited() -> dict[str, str]:
    """What a process needs of the machine; nothing of the user's AWS settings may reach a function."""
    return {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8"}
