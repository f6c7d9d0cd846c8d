"""moto's interpreter of state machines, where one definition and one client serve many executions.

moto parses a definition anew for every execution, builds a parser for every path, and makes a client for every task.
Here they are kept. A call to Lambda ends when its task's time is up, as on AWS, so that the function's service can see
that nobody waits any more. The end of an execution is told at once. All of it is subclasses of moto's classes.

Import it late: it takes more than a second, which a template without a state machine need not wait for.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringContextPath, StringJsonPath
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.component.state.exec.state_task.lambda_eval_utils import LambdaFunctionErrorException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
    Resource,
    ResourceRuntimePart,
    ServiceResource,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.fail.state_fail import StateFail
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.state_props import StateProps
from moto.stepfunctions.parser.asl.component.state.state_type import StateType
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.services.step_functions.environment import StoppableEnvironment
from local.services.step_functions.task_clients import TaskClients

MARGIN_SECONDS = 1
"""How much longer than its task a call may take, so that the task's own time limit comes first."""
REFERENCE_PATH = re.compile(r"\$(?:\.[A-Za-z_]\w*)+")
"""Paths that only name members, which is nearly all: these need no parser."""


@dataclass(frozen=True)
class Callbacks:
    """What an execution needs of its service: clients for tasks, and whom to tell of its start and end.

    `on_start` comes before the first state, `on_end` after the last.
    """

    clients: TaskClients
    on_start: Callable[[Execution], None]
    on_end: Callable[[Execution], None]


def start_execution(
    backend: StepFunctionsParserBackend, state_machine_arn: str, name: str, text: str, callbacks: Callbacks
) -> Execution:
    """Start an execution with an input (JSON), or find the one that runs with the same name and input.

    Raises moto's AWSError, and ValueError for an input that is not JSON.
    """
    machine: Any = backend.describe_state_machine(state_machine_arn)
    existing: Execution | None = machine._handle_name_input_idempotency(name, text)
    if existing is not None:
        return existing
    # A snapshot, as moto takes it: an update of the state machine does not change what runs.
    snapshot = copy.deepcopy(machine, {id(machine.executions): [], id(machine.backend): machine.backend})
    execution = _Execution(
        name=name,
        sm_type=snapshot.sm_type,
        role_arn=snapshot.roleArn,
        exec_arn=f"arn:{backend.partition}:states:{backend.region_name}:{backend.account_id}:execution:{machine.name}:{name}",
        account_id=backend.account_id,
        region_name=backend.region_name,
        state_machine=snapshot,
        start_date=datetime.now(UTC),
        cloud_watch_logging_session=None,
        activity_store={},
        input_data=text,
    )
    execution.callbacks = callbacks
    callbacks.on_start(execution)
    execution.start()
    machine.executions.append(execution)
    return execution


class _Execution(Execution):
    """An execution that says when it has ended."""

    callbacks: Callbacks

    def _get_start_execution_worker(self) -> ExecutionWorker:
        ordinary = super()._get_start_execution_worker()
        worker = Worker(
            evaluation_details=ordinary._evaluation_details,
            exec_comm=ordinary._execution_communication,
            cloud_watch_logging_session=ordinary._cloud_watch_logging_session,
            activity_store=ordinary._activity_store,
        )
        worker.clients = self.callbacks.clients
        return worker

    def _get_start_execution_worker_comm(self) -> BaseExecutionWorkerCommunication:
        return _Communication(self)


class _Communication(BaseExecutionWorkerCommunication):
    execution: _Execution

    def terminated(self) -> None:
        worker = self.execution.exec_worker
        if worker is not None and isinstance(worker.env, StoppableEnvironment):
            worker.env.note_stop()
        super().terminated()
        self.execution.callbacks.on_end(self.execution)


class Worker(ExecutionWorker):
    """Runs an execution whose state is there before its thread is, so that no wake-up meets a half-made one."""

    clients: TaskClients

    def start(self) -> None:
        self.env = self._new_environment()
        super().start()  # type: ignore[no-untyped-call]

    def _new_environment(self) -> Environment:
        environment = super()._get_evaluation_environment()
        # moto names the class where it makes one; this one adds no state.
        environment.__class__ = StoppableEnvironment
        return environment

    def _get_evaluation_environment(self) -> Environment:
        if self.env is None:
            raise RuntimeError("the worker was not started")
        return self.env

    def _get_evaluation_entrypoint(self) -> EvalComponent:
        tree = _tree(self._evaluation_details.state_machine_details.definition)
        program: EvalComponent = _Preprocessor(self.clients).visit(tree)
        return program


@lru_cache(maxsize=16)
def _tree(definition: str) -> Any:
    """The parse tree of a definition, which programs are made of and none changes."""
    return AmazonStateLanguageParser.parse(definition)[1]


class _Preprocessor(Preprocessor):
    """Makes a program of a parse tree, of the components below where there are any."""

    def __init__(self, clients: TaskClients) -> None:
        super().__init__()
        self._clients = clients

    def visitString_jsonpath(self, ctx: Any) -> StringJsonPath:  # noqa: N802 -- antlr's names
        return _JsonPath(super().visitString_jsonpath(ctx).json_path)

    def visitString_context_path(self, ctx: Any) -> StringContextPath:  # noqa: N802
        return _ContextPath(super().visitString_context_path(ctx).context_object_path)

    def visitState_decl(self, ctx: Any) -> CommonStateField:  # noqa: N802
        state = super().visitState_decl(ctx)
        if isinstance(state, _LambdaTask | _AwsSdkTask):
            state.clients = self._clients
        return state

    @staticmethod
    def _common_state_field_of(state_props: StateProps) -> CommonStateField:
        resource = state_props.get(Resource)
        service = resource.service_name if isinstance(resource, ServiceResource) else ""
        kind: Callable[[], CommonStateField] | None = {"lambda": _LambdaTask, "aws-sdk": _AwsSdkTask}.get(service)
        if state_props.get(StateType) == StateType.Fail:
            kind = _Fail
        if kind is None:
            return Preprocessor._common_state_field_of(state_props)
        state = kind()
        state.from_state_props(state_props)
        return state


class _JsonPath(StringJsonPath):
    def _eval_body(self, env: Environment) -> None:
        exists, value = _member(env.stack[-1], self.json_path)
        if exists:
            env.stack.append(copy.deepcopy(value))
        else:
            super()._eval_body(env)


class _ContextPath(StringContextPath):
    def _eval_body(self, env: Environment) -> None:
        exists, value = _member(env.states.context_object.context_object_data, self.json_path)
        if exists:
            env.stack.append(copy.deepcopy(value))
        else:
            super()._eval_body(env)


def _member(data: Any, path: str) -> tuple[bool, Any]:
    """Whether a path only names members that are there, and the value of the last."""
    if not REFERENCE_PATH.fullmatch(path):
        return False, None
    for name in path.split(".")[1:]:
        if not isinstance(data, dict) or name not in data:
            return False, None
        data = data[name]
    return True, data


class _LambdaTask(StateTaskServiceLambda):
    clients: TaskClients

    def _eval_service_task(
        self,
        env: Environment,
        resource_runtime_part: ResourceRuntimePart,
        normalised_parameters: dict[str, Any],
        state_credentials: StateCredentials,
    ) -> None:
        self.timeout.eval(env=env)
        limit = env.stack.pop() + MARGIN_SECONDS
        client = self.clients.client("lambda", resource_runtime_part.region, state_credentials.role_arn, limit)
        answer = client.invoke(**normalised_parameters)
        payload = answer["Payload"].read().decode("utf-8")
        if answer.get("FunctionError"):
            raise LambdaFunctionErrorException(answer["FunctionError"], payload)
        names = ("ExecutedVersion", "FunctionError", "LogResult", "StatusCode")
        env.stack.append({name: answer[name] for name in names if name in answer} | {"Payload": _json_or_text(payload)})

    def _from_error(self, env: Environment, ex: Exception) -> FailureEvent:
        if not isinstance(ex, BotoCoreError) or isinstance(ex, ClientError):
            return super()._from_error(env=env, ex=ex)
        # https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
        error = "Lambda.SdkClientException"
        details = TaskFailedEventDetails(
            error=error, cause=str(ex), resource=self._get_sfn_resource(), resourceType=self._get_sfn_resource_type()
        )
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(error),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),  # type: ignore[typeddict-item]  # one of many is usual
        )


class _AwsSdkTask(StateTaskServiceAwsSdk):
    clients: TaskClients

    def _eval_service_task(
        self,
        env: Environment,
        resource_runtime_part: ResourceRuntimePart,
        normalised_parameters: dict[str, Any],
        state_credentials: StateCredentials,
    ) -> None:
        service, region = self._get_boto_service_name(), resource_runtime_part.region
        client = self.clients.client(service, region, state_credentials.role_arn)
        response = getattr(client, self._get_boto_service_action())(**normalised_parameters) or {}
        response.pop("ResponseMetadata", None)
        env.stack.append(response)


class _Fail(StateFail):
    """A Fail state that can pass on what was caught: moto takes no name here that begins with "States."."""

    def _eval_state(self, env: Environment) -> None:
        details = TaskFailedEventDetails()
        if self.error:
            self.error.eval(env=env)
            details["error"] = env.stack.pop()
        if self.cause:
            self.cause.eval(env=env)
            details["cause"] = env.stack.pop()
        error = details.get("error")
        raise FailureEventException(
            FailureEvent(
                env=env,
                error_name=ErrorName(error) if error else None,
                event_type=HistoryEventType.TaskFailed,
                event_details=EventDetails(taskFailedEventDetails=details),  # type: ignore[typeddict-item]  # so here
            )
        )


def _json_or_text(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload
