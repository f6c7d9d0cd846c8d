"""CloudFormation's read side, answered from the template that runs: one stack, its outputs, parameters and resources.

APIs: DescribeStacks, DescribeStackResource, DescribeStackResources, ListStackResources. Nothing can be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError
from local.server.service import Operations, Parameters, Result, answer
from local.template.resources import Resources

STATUS = "CREATE_COMPLETE"
# What one answer of ListStackResources and of DescribeStackResources holds on AWS.
PAGE = 100
# What AWS shows of a parameter with NoEcho.
HIDDEN = "****"


@dataclass(frozen=True)
class Output:
    """An output of the template with its value; `export` is the name under which other stacks import it."""

    name: str
    value: str
    description: str | None = None
    export: str | None = None


@dataclass(frozen=True)
class StackResource:
    """A resource; `left_out` says why it has no meaning on one machine, None for one that runs."""

    logical_id: str
    physical_id: str
    type: str
    left_out: str | None = None


@dataclass(frozen=True)
class Stack:
    """The stack that runs. Values of parameters are shown as AWS does: NoEcho ones as asterisks."""

    name: str
    id: str
    created: datetime
    description: str | None
    parameters: Mapping[str, str]
    outputs: tuple[Output, ...]
    resources: tuple[StackResource, ...]


def stack_of(resources: Resources, outputs: Mapping[str, Mapping[str, Any]], *, created: datetime) -> Stack:
    """The stack of resources that are all made, with its outputs as Resources resolved them."""
    template, pseudo = resources.template, resources.pseudo
    left_out = {left.logical_id: left.reason for left in resources.left_out}
    return Stack(
        name=pseudo.stack_name,
        id=pseudo.stack_id,
        created=created,
        description=template.description,
        parameters={
            name: HIDDEN if name in template.hidden else _shown(value) for name, value in template.parameters.items()
        },
        outputs=tuple(
            Output(name, _shown(output["Value"]), output.get("Description"), output.get("Export", {}).get("Name"))
            for name, output in outputs.items()
        ),
        resources=tuple(
            StackResource(name, resources.physical_id(name), resource.type, left_out.get(name))
            for name, resource in sorted(template.resources.items())
        ),
    )


def _shown(value: Any) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


class CloudFormationService:
    """Answers for one stack; `stack` gives it, or None while the template is not there yet."""

    def __init__(self, stack: Callable[[], Stack | None]) -> None:
        self._stack = stack
        self._operations: Operations = {
            "DescribeStacks": self._describe_stacks,
            "DescribeStackResource": self._describe_stack_resource,
            "DescribeStackResources": self._describe_stack_resources,
            "ListStackResources": self._list_stack_resources,
        }

    def handle(self, service: str, request: Request) -> Response:
        """Answer a call. Raises ServiceError for what CloudFormation refuses, and for operations that are not here."""
        return answer(service, request, self._operations)

    def _describe_stacks(self, params: Parameters) -> Result:
        name = params.get("StackName")
        if name is not None:
            return {"Stacks": [_stack(self._find(name, f"Stack with id {name} does not exist"))]}
        stack = self._stack()
        return {"Stacks": [] if stack is None else [_stack(stack)]}

    def _describe_stack_resource(self, params: Parameters) -> Result:
        name, logical_id = params["StackName"], params["LogicalResourceId"]
        stack = self._find(name, f"Stack '{name}' does not exist")
        resource = next((item for item in stack.resources if item.logical_id == logical_id), None)
        if resource is None:
            raise _invalid(f"Resource {logical_id} does not exist for stack {name}")
        return {
            "StackResourceDetail": {
                "StackName": stack.name,
                "StackId": stack.id,
                "LastUpdatedTimestamp": stack.created,
                "Metadata": "{}",
                **_resource(resource),
            }
        }

    def _describe_stack_resources(self, params: Parameters) -> Result:
        name, physical_id = params.get("StackName"), params.get("PhysicalResourceId")
        if (name is None) == (physical_id is None):
            raise _invalid("Exactly one of StackName and PhysicalResourceId must be given")
        if name is not None:
            stack = self._find(name, f"Stack with id {name} does not exist")
        else:
            stack = self._stack_with(str(physical_id))
        logical_id = params.get("LogicalResourceId")
        resources = [item for item in stack.resources if logical_id in {None, item.logical_id}]
        if not resources:
            raise _invalid(f"Resource {logical_id} does not exist for stack {stack.name}")
        return {
            "StackResources": [
                {"StackName": stack.name, "StackId": stack.id, "Timestamp": stack.created, **_resource(resource)}
                for resource in resources[:PAGE]
            ]
        }

    def _list_stack_resources(self, params: Parameters) -> Result:
        name, token = params["StackName"], params.get("NextToken", "0")
        stack = self._find(name, f"Stack with id {name} does not exist")
        if not (token.isascii() and token.isdigit() and len(token) < 6):
            raise _invalid("NextToken is not one that ListStackResources answered")
        start = int(token)
        page = stack.resources[start : start + PAGE]
        return {
            "StackResourceSummaries": [{"LastUpdatedTimestamp": stack.created, **_resource(item)} for item in page],
            "NextToken": str(start + PAGE) if start + PAGE < len(stack.resources) else None,
        }

    def _stack_with(self, physical_id: str) -> Stack:
        stack = self._stack()
        if stack is None or all(resource.physical_id != physical_id for resource in stack.resources):
            raise _invalid(f"Stack for {physical_id} does not exist")
        return stack

    def _find(self, name: str, refusal: str) -> Stack:
        stack = self._stack()
        if stack is None or name not in {stack.name, stack.id}:
            raise _invalid(refusal)
        return stack


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message, 400)


def _stack(stack: Stack) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.description,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in stack.parameters.items()],
        "CreationTime": stack.created,
        "StackStatus": STATUS,
        "DisableRollback": False,
        "NotificationARNs": [],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Outputs": [
            {
                "OutputKey": output.name,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export,
            }
            for output in stack.outputs
        ],
        "Tags": [],
        "EnableTerminationProtection": False,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def _resource(resource: StackResource) -> dict[str, Any]:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        "ResourceStatus": STATUS,
        "ResourceStatusReason": resource.left_out and f"not in the local cloud: {resource.left_out}",
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
