"""Says which actions on which resources a call to AWS is, as policies name them.

Most of it is the service authorization reference's: a call needs the action of its operation's name, on the resources
that its parameters name, and the action's dependents. The tables hold what the reference does not say: operations whose
action has another name, calls that are several accesses, and parameters with other names than an ARN's parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from local.permissions import service_reference
from local.permissions.policies import Access

Parameters = Mapping[str, Any]

PREFIXES: Mapping[str, str] = {"email": "ses", "monitoring": "cloudwatch"}
"""The prefixes of actions of services that sign by another name."""

ACTIONS: Mapping[str, str] = {
    "dynamodb:TransactGetItems": "dynamodb:GetItem",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:UploadPart": "s3:PutObject",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""The actions of operations that have another name."""

VERSIONED = {"s3:GetObject": "s3:GetObjectVersion", "s3:DeleteObject": "s3:DeleteObjectVersion"}
"""What S3 asks for if a call names an object's version."""

TASK_ACTIONS = frozenset({"states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"})
"""The reference lists no resources for them, but AWS takes, and names in its errors, the state machine's ARN."""

ROLE_PASSING = "iam:PassRole"
KMS = "kms:"
ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/.+")

CONDITION_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "events:detail-type",
        "events:source",
        "iam:passedtoservice",
        "s3:delimiter",
        "s3:prefix",
        "s3:resourceaccount",
    }
)
"""The keys that accesses have where AWS would have them."""


@dataclass(frozen=True)
class Place:
    """Where and by whom calls are made."""

    account: str
    region: str
    principal: str


def accesses(
    service: str,
    operation: str,
    parameters: Parameters,
    place: Place,
    *,
    machine_of: Callable[[str], str | None],
) -> list[Access]:
    """All that a call needs; `service` is its signing name.

    `machine_of` gives the ARN of the state machine that waits for a task token.
    """
    accesses: list[Access] = []
    for action, subject in _parts(f"{PREFIXES.get(service, service)}:{operation}", parameters):
        context = _context(place, service, subject)
        if action in TASK_ACTIONS:
            # A token that nobody waits for names no machine; the call fails for that reason.
            machine = machine_of(str(subject.get("taskToken")))
            accesses += [Access(action, machine, context)] if machine else []
            continue
        accesses += _on_resources(action, subject, place, context)
        for dependent in _reference(action).dependents:
            accesses += _dependent(dependent, service, subject, place, context)
    return accesses


def _reference(action: str) -> service_reference.Action:
    service, _, name = action.partition(":")
    return service_reference.actions(service).get(name, service_reference.Action((), ()))


def _dependent(
    action: str, service: str, subject: Parameters, place: Place, context: Mapping[str, Sequence[str]]
) -> Iterator[Access]:
    if action == ROLE_PASSING:
        passed = {**context, "iam:passedtoservice": [f"{service}.amazonaws.com"]}
        yield from (Access(action, role, passed) for role in _roles(subject))
    elif not action.startswith(KMS):
        # Nothing is encrypted on one machine.
        yield from _on_resources(action, subject, place, context)


def _roles(value: Any) -> Iterator[str]:
    """The ARNs of roles in a call's parameters, however deep."""
    if isinstance(value, str) and ROLE_ARN.fullmatch(value):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _roles(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _roles(item)


# --- The parts of a call ---------------------------------------------------------------------------------------------


def _parts(operation: str, parameters: Parameters) -> Iterator[tuple[str, Parameters]]:
    """The actions of a call, each with the parameters that name its resources."""
    action = ACTIONS.get(operation, operation)
    match operation:
        case "events:PutEvents":
            yield from ((action, entry) for entry in _items(parameters.get("Entries")))
        case "dynamodb:BatchGetItem" | "dynamodb:BatchWriteItem":
            yield from ((action, {"TableName": table}) for table in parameters.get("RequestItems") or {})
        case "dynamodb:TransactWriteItems" | "dynamodb:TransactGetItems":
            for item in _items(parameters.get("TransactItems")):
                for kind, subject in item.items():
                    name = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem"}
                    yield f"dynamodb:{name.get(kind, 'ConditionCheckItem')}", subject
        case "ssm:GetParameters" | "ssm:DeleteParameters":
            yield from ((action, {"Name": name}) for name in parameters.get("Names") or [])
        case "s3:DeleteObjects":
            yield action, {**parameters, "Key": "*"}
        case "amplify:CreateApp" | "amplify:CreateBranch" if parameters.get("tags"):
            yield action, parameters
            yield "amplify:TagResource", parameters
        case "s3:CopyObject" | "s3:UploadPartCopy":
            source, _, query = str(parameters.get("CopySource", "")).partition("?")
            bucket, _, key = unquote(source).strip("/").partition("/")
            read = VERSIONED["s3:GetObject"] if query.startswith("versionId=") else "s3:GetObject"
            yield read, {"Bucket": bucket, "Key": key}
            yield "s3:PutObject", parameters
        case _:
            yield VERSIONED.get(action, action) if parameters.get("versionId") else action, parameters


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


# --- Resources -------------------------------------------------------------------------------------------------------


def _on_resources(
    action: str, subject: Parameters, place: Place, context: Mapping[str, Sequence[str]]
) -> Iterator[Access]:
    service = action.partition(":")[0]
    yield from (Access(action, resource, context) for resource in _resources(action, service, subject, place))


def _resources(action: str, service: str, subject: Parameters, place: Place) -> list[str]:
    """The ARNs that a call's parameters name, or `*` where a policy can name nothing else."""
    templates = _reference(action).resources
    if not templates:
        return ["*"]
    if service == "dynamodb" and "IndexName" in subject:
        # The reference has the index beside the table; a call that names one is for the index alone.
        table = str(subject.get("TableName")).rpartition("/")[2]
        return [f"arn:aws:dynamodb:{place.region}:{place.account}:table/{table}/index/{subject['IndexName']}"]
    arns = [value for value in subject.values() if isinstance(value, str) and value.startswith("arn:")]
    direct = [arn for template in templates for arn in arns if service_reference.pattern(template).fullmatch(arn)]
    if direct:
        return list(dict.fromkeys(direct))
    values = _values(service, subject)
    filled = [_fill(template, values, place) for template in templates]
    whole = [arn for arn, is_whole in filled if is_whole]
    # A call that names a branch is for the branch, and not for its app too.
    whole = [arn for arn in whole if not any(other.startswith(f"{arn}/") for other in whole)]
    # What the parameters leave open, as the id of a job that is yet to be, any value stands for.
    return whole or [filled[0][0]]


def _fill(template: str, values: Mapping[str, str], place: Place) -> tuple[str, bool]:
    values_by_name = {"partition": "aws", "region": place.region, "account": place.account, **values}
    names = [name.lower() for name in re.findall(r"\$\{(\w+)\}", template)]
    arn = re.sub(r"\$\{(\w+)\}", lambda match: values_by_name.get(match[1].lower(), "*"), template)
    return arn, all(name in values_by_name for name in names)


def _values(service: str, subject: Parameters) -> dict[str, str]:
    """What the parts of a service's ARNs are called, in lower case, with the values that a call gives."""
    values = {name.lower(): str(value) for name, value in subject.items() if isinstance(value, str | int)}
    match service:
        case "dynamodb" if "indexname" in values:
            # A read of an index needs the index, and not its table: the developer guide's policies for indexes.
            values["tablename"] = f"{values.get('tablename', '*')}/index/{values['indexname']}"
        case "events":
            values.setdefault("eventbusname", "default")
            values["rulename"] = values.get("rule") or values.get("name") or "*"
        case "s3":
            names = {"bucketname": values.get("bucket"), "objectname": values.get("key")}
            values |= {name: value for name, value in names.items() if value}
        case "scheduler":
            values["schedulename"] = values.get("name", "*")
            values.setdefault("groupname", "default")
        case "sqs":
            values.setdefault("queuename", values.get("queueurl", "*").rpartition("/")[2])
        case "ssm":
            values["parameternamewithoutleadingslash"] = (values.get("name") or values.get("path") or "*").strip("/")
        case "sns":
            values.setdefault("topicname", values.get("name", "*"))
        case "states":
            values.setdefault("statemachinename", values.get("name", "*"))
    return values


# --- Context ---------------------------------------------------------------------------------------------------------


def _context(place: Place, service: str, subject: Parameters) -> Mapping[str, Sequence[str]]:
    context = {
        "aws:principalaccount": [place.account],
        "aws:principalarn": [place.principal],
        "aws:principaltype": ["AssumedRole"],
        "aws:requestedregion": [place.region],
        "aws:resourceaccount": [place.account],
        # AWS is called by TLS, whatever the local cloud is called by.
        "aws:securetransport": ["true"],
    }
    if service == "events":
        members = {"events:source": "Source", "events:detail-type": "DetailType"}
        context |= {key: [str(subject[name])] for key, name in members.items() if name in subject}
    if service == "s3":
        context["s3:resourceaccount"] = [place.account]
        context |= {f"s3:{name}": [str(subject[name])] for name in ("prefix", "delimiter") if name in subject}
    return context
