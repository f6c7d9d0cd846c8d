"""Makes the resources of a template in the local cloud: one maker per type, each naming the properties that it knows.

A type or property that nothing here knows stops the local cloud with a message that names it, so that what runs
locally is what is deployed. Types and properties without a meaning on one machine are listed, not guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from local.permissions.accesses import CONDITION_KEYS
from local.permissions.managed_policies import managed_policy
from local.permissions.policies import Policy
from local.permissions.roles import Credentials, Roles
from local.server import wire
from local.services.clients import Clients
from local.services.events.service import EventsService
from local.services.functions.async_invocation import AsyncConfig
from local.services.functions.event_sources import DEFAULT_BATCH, EventSources, QueueMapping
from local.services.functions.service import Function, LambdaService
from local.services.http_api import HttpApi
from local.services.scheduler.service import SchedulerService
from local.template.loader import Pseudo, Resource, Template, TemplateError

NO_LOCAL_MEANING: Mapping[str, str] = {
    "AWS::ApiGatewayV2::Deployment": "the HTTP API serves its routes as they are",
    "AWS::CloudWatch::Alarm": "nothing measures or alarms on one machine",
    "AWS::CloudWatch::CompositeAlarm": "nothing measures or alarms on one machine",
    "AWS::CloudWatch::Dashboard": "nothing measures on one machine",
    "AWS::Events::EventBusPolicy": "policies of resources are not evaluated",
    "AWS::KMS::Alias": "nothing is encrypted on one machine",
    "AWS::KMS::Key": "nothing is encrypted on one machine",
    "AWS::Lambda::Permission": "policies of resources are not evaluated",
    "AWS::Logs::MetricFilter": "nothing measures on one machine",
    "AWS::Logs::QueryDefinition": "the console that offers it is not there",
    "AWS::S3::BucketPolicy": "policies of resources are not evaluated",
    "AWS::SNS::TopicPolicy": "policies of resources are not evaluated",
    "AWS::SQS::QueuePolicy": "policies of resources are not evaluated",
}
"""Resource types that the local cloud leaves out, and why."""

TAGS = {"Tags"}


@dataclass(frozen=True)
class CreatedResource:
    """A resource that is there: what Ref and Fn::GetAtt give for it."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SkippedResource:
    """A resource that the local cloud leaves out."""

    logical_id: str
    type: str
    reason: str


def left_out(template: Template) -> list[SkippedResource]:
    """What the local cloud leaves out of a template."""
    return [
        SkippedResource(each.logical_id, each.type, NO_LOCAL_MEANING[each.type])
        for each in template.resources.values()
        if each.type in NO_LOCAL_MEANING
    ]


@dataclass(frozen=True)
class Maker:
    """How a resource type is made. `applied` properties have an effect here, `ignored` ones have no local meaning."""

    make: Callable[[Resources, str, Mapping[str, Any]], CreatedResource]
    applied: frozenset[str]
    ignored: frozenset[str] = frozenset()


class Resources:
    """Makes every resource of a template, each after those that it refers to.

    Raises TemplateError, naming the resource, for what can't be made.
    """

    def __init__(
        self,
        template: Template,
        pseudo: Pseudo,
        *,
        clients: Clients,
        functions: LambdaService,
        events: EventsService,
        scheduler: SchedulerService,
        event_sources: EventSources,
        http_api: HttpApi,
        roles: Roles,
        api_url: str,
    ) -> None:
        self.template = template
        self.pseudo = pseudo
        self.clients = clients
        self.functions = functions
        self.events = events
        self.scheduler = scheduler
        self.event_sources = event_sources
        self.http_api = http_api
        self.roles = roles
        self.api_url = api_url
        self.layers: dict[str, Path] = {}
        self.managed_policies: dict[str, Policy] = {}
        self.apis: dict[str, Mapping[str, Any]] = {}
        self._made: dict[str, CreatedResource] = {}
        self._being_made: list[str] = []

    @property
    def left_out(self) -> list[SkippedResource]:
        return left_out(self.template)

    def make_all(self) -> None:
        for logical_id in self.template.resources:
            self._get(logical_id)

    def outputs(self) -> dict[str, dict[str, Any]]:
        """The template's outputs as it has them (Value, Description, Export), with every function resolved."""
        return {name: self.template.resolve(output, self._lookup) for name, output in self.template.outputs.items()}

    def physical_id(self, logical_id: str) -> str:
        """The physical id of a resource; raises KeyError for one that the template does not have."""
        return self._made[logical_id].physical_id

    def credentials(self, logical_id: str) -> Credentials:
        """Credentials with the rights of a role or managed policy; raises KeyError for what is neither."""
        made = self._made[logical_id]
        arn = made.attributes.get("Arn", made.physical_id)
        if made.physical_id in self.managed_policies:
            arn = f"arn:aws:iam::{self.pseudo.account}:role/{self.name(logical_id)}"
            self.roles.add(arn, [self.managed_policies[made.physical_id]])
        credentials = self.roles.assume(arn, "person")
        if credentials is None:
            raise KeyError(logical_id)
        return credentials

    def name(self, logical_id: str) -> str:
        """The name of a resource that the template does not name."""
        return f"{self.pseudo.stack_name}-{logical_id}"

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.pseudo.region}:{self.pseudo.account}:{rest}"

    def _lookup(self, logical_id: str, attribute: str | None) -> Any:
        made = self._get(logical_id)
        if attribute is None:
            return made.physical_id
        if attribute not in made.attributes:
            kind = self.template.resources[logical_id].type
            known = ", ".join(sorted(made.attributes)) or "none"
            raise TemplateError(
                f"{logical_id} ({kind}) has no attribute {attribute!r} in the local cloud; it has {known}"
            )
        return made.attributes[attribute]

    def _get(self, logical_id: str) -> CreatedResource:
        if logical_id in self._made:
            return self._made[logical_id]
        if logical_id not in self.template.resources:
            raise TemplateError(f"nothing in the template is called {logical_id!r}")
        if logical_id in self._being_made:
            circle = " -> ".join([*self._being_made, logical_id])
            raise TemplateError(f"resources refer to each other in a circle: {circle}")
        self._being_made.append(logical_id)
        try:
            self._made[logical_id] = self._make(self.template.resources[logical_id])
        finally:
            self._being_made.pop()
        return self._made[logical_id]

    def _make(self, resource: Resource) -> CreatedResource:
        for other in resource.depends_on:
            if other in self.template.resources:
                self._get(other)
        if resource.type in NO_LOCAL_MEANING:
            return self._stand_in(resource)
        maker = MAKERS.get(resource.type)
        where = f"{resource.logical_id} ({resource.type})"
        if maker is None:
            raise TemplateError(f"{where}: the local cloud can't run resources of this type")
        unknown = sorted(set(resource.properties) - maker.applied - maker.ignored - TAGS)
        if unknown:
            raise TemplateError(f"{where}: the local cloud does not know the property {unknown[0]!r}")
        wanted = {name: value for name, value in resource.properties.items() if name in maker.applied}
        properties = self.template.resolve(wanted, self._lookup)
        try:
            return maker.make(self, resource.logical_id, properties)
        except ClientError as error:
            raise TemplateError(f"{where}: {error.response['Error']['Message']}") from error
        except wire.ServiceError as error:
            raise TemplateError(f"{where}: {error.message}") from error
        except (ValueError, KeyError, OSError) as error:
            raise TemplateError(f"{where}: {error}") from error

    def _stand_in(self, resource: Resource) -> CreatedResource:
        """Names for what is left out, since others refer to keys and alarms."""
        name = self.name(resource.logical_id)
        match resource.type:
            case "AWS::KMS::Key":
                return CreatedResource(name, {"Arn": self.arn("kms", f"key/{name}"), "KeyId": name})
            case "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm":
                return CreatedResource(name, {"Arn": self.arn("cloudwatch", f"alarm:{name}")})
        return CreatedResource(name)


def _table(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("TableName", cloud.name(logical_id))
    wanted: dict[str, Any] = {
        key: properties[key]
        for key in (
            "AttributeDefinitions",
            "BillingMode",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "LocalSecondaryIndexes",
            "ProvisionedThroughput",
        )
        if key in properties
    }
    if "StreamSpecification" in properties:
        wanted["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    table = cloud.clients.dynamodb.create_table(TableName=name, **wanted)["TableDescription"]
    if ttl := properties.get("TimeToLiveSpecification"):
        cloud.clients.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        cloud.clients.dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    return CreatedResource(name, {"Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn")})


def _bucket(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    default = f"{cloud.pseudo.stack_name}-{logical_id}-{cloud.pseudo.account}".lower()
    name = properties.get("BucketName", default)
    region: Any = cloud.pseudo.region
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    cloud.clients.s3.create_bucket(Bucket=name, **where)
    if versioning := properties.get("VersioningConfiguration"):
        cloud.clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    notifications: Mapping[str, Any] = properties.get("NotificationConfiguration") or {}
    if unknown := sorted(set(notifications) - {"EventBridgeConfiguration"}):
        raise ValueError(f"the local cloud's buckets send events to EventBridge only, not by {unknown[0]}")
    if (notifications.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled"):
        cloud.clients.s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    domain = f"{name}.s3.amazonaws.com"
    regional = f"{name}.s3.{region}.amazonaws.com"
    return CreatedResource(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": regional})


def _role(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("RoleName", cloud.name(logical_id))
    arn = f"arn:aws:iam::{cloud.pseudo.account}:role{properties.get('Path', '/')}{name}"
    inline = [_policy(policy["PolicyDocument"]) for policy in properties.get("Policies", [])]
    managed = [
        cloud.managed_policies.get(policy) or _policy(managed_policy(policy))
        for policy in properties.get("ManagedPolicyArns", [])
    ]
    cloud.roles.add(arn, inline + managed)
    return CreatedResource(name, {"Arn": arn, "RoleId": f"AROA{name.upper()[:12]}"})


def _inline_policy(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    _attach(cloud, _policy(properties["PolicyDocument"]), properties)
    return CreatedResource(cloud.name(logical_id))


def _managed_policy(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("ManagedPolicyName", cloud.name(logical_id))
    arn = f"arn:aws:iam::{cloud.pseudo.account}:policy{properties.get('Path', '/')}{name}"
    cloud.managed_policies[arn] = _policy(properties["PolicyDocument"])
    _attach(cloud, cloud.managed_policies[arn], properties)
    return CreatedResource(arn, {"PolicyArn": arn})


def _attach(cloud: Resources, policy: Policy, properties: Mapping[str, Any]) -> None:
    for role in properties.get("Roles", []):
        try:
            cloud.roles.attach(role, policy)
        except KeyError:
            raise ValueError(f"the role {role} is not of this template") from None


def _policy(document: Mapping[str, Any]) -> Policy:
    return Policy(document, CONDITION_KEYS)


def _topic(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    attributes = {"DisplayName": properties["DisplayName"]} if "DisplayName" in properties else {}
    if properties.get("FifoTopic"):
        attributes["FifoTopic"] = "true"
    name = properties.get("TopicName", cloud.name(logical_id))
    arn = cloud.clients.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    for subscription in properties.get("Subscription", []):
        _subscribe(cloud, arn, subscription)
    return CreatedResource(arn, {"TopicArn": arn, "TopicName": name})


SUBSCRIPTION_PROTOCOLS = ("sqs", "http", "https", "email", "email-json")


def _subscription(cloud: Resources, _: str, properties: Mapping[str, Any]) -> CreatedResource:
    return CreatedResource(_subscribe(cloud, properties["TopicArn"], properties))


def _subscribe(cloud: Resources, topic_arn: str, properties: Mapping[str, Any]) -> str:
    protocol = properties["Protocol"]
    if protocol not in SUBSCRIPTION_PROTOCOLS:
        known = ", ".join(SUBSCRIPTION_PROTOCOLS)
        raise ValueError(f"the local cloud's topics deliver to {known}, not to {protocol!r}")
    attributes = {}
    for name in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"):
        if name in properties:
            value = properties[name]
            attributes[name] = value if isinstance(value, str) else json.dumps(value)
    subscribed = cloud.clients.sns.subscribe(
        TopicArn=topic_arn,
        Protocol=protocol,
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )
    return subscribed["SubscriptionArn"]


QUEUE_ATTRIBUTES = frozenset(
    {
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "VisibilityTimeout",
    }
)


def _queue(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    suffix = ".fifo" if properties.get("FifoQueue") else ""
    name = properties.get("QueueName", cloud.name(logical_id) + suffix)
    attributes: Any = {
        key: json.dumps(value) if isinstance(value, dict | bool) else str(value)
        for key, value in properties.items()
        if key in QUEUE_ATTRIBUTES
    }
    url = cloud.clients.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return CreatedResource(url, {"Arn": cloud.arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _parameter(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("Name", f"CFN-{cloud.name(logical_id)}")
    kind = properties["Type"]
    cloud.clients.ssm.put_parameter(
        Name=name, Value=properties["Value"], Type=kind, Description=properties.get("Description", "")
    )
    return CreatedResource(name, {"Type": kind, "Value": properties["Value"]})


def _state_machine(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("StateMachineName", cloud.name(logical_id))
    created = cloud.clients.stepfunctions.create_state_machine(
        name=name,
        definition=_definition(cloud, properties),
        roleArn=properties.get("RoleArn", f"arn:aws:iam::{cloud.pseudo.account}:role/{name}"),
        type=properties.get("StateMachineType", "STANDARD"),
    )
    arn = created["stateMachineArn"]
    return CreatedResource(arn, {"Arn": arn, "Name": name})


def _definition(cloud: Resources, properties: Mapping[str, Any]) -> str:
    """A definition as JSON text, its substitutions made."""
    if "DefinitionS3Location" in properties:
        location = properties["DefinitionS3Location"]
        path = cloud.template.local_path(location["Bucket"], location["Key"])
        text = path.read_text(encoding="utf-8")
        if path.suffix in {".yaml", ".yml"}:
            text = json.dumps(yaml.safe_load(text))
    elif "DefinitionString" in properties:
        text = properties["DefinitionString"]
    else:
        text = json.dumps(properties["Definition"])
    substitutions: Mapping[str, Any] = properties.get("DefinitionSubstitutions", {})

    def value_of(found: re.Match[str]) -> str:
        if found[1] not in substitutions:
            raise ValueError(f"the definition has ${{{found[1]}}}, for which DefinitionSubstitutions has no value")
        return json.dumps(str(substitutions[found[1]]))[1:-1]

    return re.sub(r"\$\{(\w+)\}", value_of, text)


def _bus(cloud: Resources, _: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties["Name"]
    arn = cloud.events.create_bus(name)
    return CreatedResource(name, {"Arn": arn, "Name": name})


def _rule(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    bus = properties.get("EventBusName", "default")
    pattern = properties.get("EventPattern")
    rule = cloud.events.put_rule(
        properties.get("Name", cloud.name(logical_id)),
        bus=bus,
        pattern=None if pattern is None else json.dumps(pattern),
        schedule=properties.get("ScheduleExpression"),
        state=properties.get("State", "ENABLED"),
        description=properties.get("Description"),
        role=properties.get("RoleArn"),
    )
    cloud.events.put_targets(rule.name, properties.get("Targets", []), bus=bus)
    return CreatedResource(rule.name if rule.bus == "default" else f"{rule.bus}|{rule.name}", {"Arn": rule.arn})


def _archive(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("ArchiveName", cloud.name(logical_id))
    pattern = properties.get("EventPattern")
    arn = cloud.events.create_archive(
        name,
        properties["SourceArn"],
        pattern=None if pattern is None else json.dumps(pattern),
        retention_days=int(properties.get("RetentionDays", 0)),
        description=properties.get("Description"),
    )
    return CreatedResource(name, {"Arn": arn, "ArchiveName": name})


def _schedule_group(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("Name", cloud.name(logical_id))
    return CreatedResource(name, {"Arn": cloud.scheduler.create_group(name), "State": "ACTIVE"})


def _event_source_mapping(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    queue = properties["EventSourceArn"]
    if not queue.startswith("arn:aws:sqs:"):
        raise ValueError(f"the local cloud maps queues to functions, not {queue}")
    function = cloud.functions.function(properties["FunctionName"])
    mapping = QueueMapping(
        queue_arn=queue,
        function=function.name,
        batch_size=int(properties.get("BatchSize", DEFAULT_BATCH)),
        partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        role=function.role,
    )
    if properties.get("Enabled", True) in {True, "true"}:
        cloud.event_sources.add(mapping)
    return CreatedResource(cloud.name(logical_id))


def _layer(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    content = properties["Content"]
    folder = cloud.template.local_path(content["S3Bucket"], content["S3Key"])
    arn = cloud.arn("lambda", f"layer:{properties.get('LayerName', cloud.name(logical_id))}:1")
    # What sam build puts under python/ lies at the top of the source tree's folder.
    cloud.layers[arn] = folder / "python" if (folder / "python").is_dir() else folder
    return CreatedResource(arn, {"LayerVersionArn": arn})


def _function(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("FunctionName", cloud.name(logical_id))
    code = properties["Code"]
    if "S3Key" not in code:
        raise ValueError("the local cloud runs functions whose CodeUri is a folder, no inline code and no images")
    if properties.get("PackageType", "Zip") != "Zip" or not str(properties.get("Runtime", "")).startswith("python"):
        raise ValueError(f"the local cloud runs Python functions only, not {properties.get('Runtime')}")
    layer_arns = properties.get("Layers", [])
    if unknown := [arn for arn in layer_arns if arn not in cloud.layers]:
        raise ValueError(f"the layer {unknown[0]} is not of this template")
    variables: Mapping[str, Any] = properties.get("Environment", {}).get("Variables", {})
    function = Function(
        name=name,
        arn=cloud.arn("lambda", f"function:{name}"),
        handler=properties["Handler"],
        folder=cloud.template.local_path(code["S3Bucket"], code["S3Key"]),
        variables={key: str(value) for key, value in variables.items()},
        timeout_seconds=float(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        layers=[cloud.layers[arn] for arn in layer_arns],
        layer_arns=layer_arns,
        description=properties.get("Description", ""),
        runtime=properties["Runtime"],
        role=properties.get("Role", ""),
        dead_letter_arn=properties.get("DeadLetterConfig", {}).get("TargetArn"),
        reserved_concurrency=int(reserved) if (reserved := properties.get("ReservedConcurrentExecutions")) else None,
    )
    if not function.folder.is_dir():
        raise ValueError(f"its CodeUri {code['S3Key']} is no folder")
    cloud.functions.add(function)
    return CreatedResource(name, {"Arn": function.arn})


def _event_invoke_config(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    destinations = properties.get("DestinationConfig", {})
    defaults = AsyncConfig()
    config = AsyncConfig(
        maximum_retry_attempts=int(properties.get("MaximumRetryAttempts", defaults.maximum_retry_attempts)),
        maximum_event_age_seconds=float(properties.get("MaximumEventAgeInSeconds", defaults.maximum_event_age_seconds)),
        on_failure=destinations.get("OnFailure", {}).get("Destination"),
        on_success=destinations.get("OnSuccess", {}).get("Destination"),
    )
    cloud.functions.configure_async(properties["FunctionName"], config)
    return CreatedResource(cloud.name(logical_id))


def _http_api(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    api_id = cloud.name(logical_id).lower()
    cloud.apis[api_id] = properties["Body"]
    if len(cloud.apis) > 1:
        raise ValueError("the local cloud serves one HTTP API, and the template has more")
    return CreatedResource(api_id, {"ApiId": api_id, "ApiEndpoint": cloud.api_url})


def _stage(cloud: Resources, _: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties["StageName"]
    if name != "$default":
        raise ValueError(f"the local cloud serves the stage $default only, not {name}")
    cloud.http_api.configure(properties["ApiId"], cloud.apis[properties["ApiId"]], properties)
    return CreatedResource(name)


def _log_group(cloud: Resources, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("LogGroupName", cloud.name(logical_id))
    cloud.clients.logs.create_log_group(logGroupName=name)
    if days := properties.get("RetentionInDays"):
        cloud.clients.logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))
    return CreatedResource(name, {"Arn": f"{cloud.arn('logs', f'log-group:{name}')}:*"})


def _maker(
    make: Callable[[Resources, str, Mapping[str, Any]], CreatedResource], applied: str, ignored: str = ""
) -> Maker:
    return Maker(make, frozenset(applied.split()), frozenset(ignored.split()))


MAKERS: Mapping[str, Maker] = {
    "AWS::DynamoDB::Table": _maker(
        _table,
        "TableName AttributeDefinitions KeySchema BillingMode ProvisionedThroughput GlobalSecondaryIndexes "
        "LocalSecondaryIndexes StreamSpecification TimeToLiveSpecification PointInTimeRecoverySpecification",
        "SSESpecification DeletionProtectionEnabled TableClass ContributorInsightsSpecification OnDemandThroughput "
        "WarmThroughput",
    ),
    "AWS::S3::Bucket": _maker(
        _bucket,
        "BucketName VersioningConfiguration NotificationConfiguration",
        "BucketEncryption PublicAccessBlockConfiguration OwnershipControls LifecycleConfiguration LoggingConfiguration",
    ),
    "AWS::IAM::Role": _maker(
        _role,
        "RoleName Path Policies ManagedPolicyArns",
        "AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary",
    ),
    "AWS::IAM::Policy": _maker(_inline_policy, "PolicyDocument Roles", "PolicyName Users Groups"),
    "AWS::IAM::ManagedPolicy": _maker(
        _managed_policy, "ManagedPolicyName Path PolicyDocument Roles", "Description Users Groups"
    ),
    "AWS::SNS::Topic": _maker(_topic, "TopicName DisplayName Subscription FifoTopic", "KmsMasterKeyId TracingConfig"),
    "AWS::SNS::Subscription": _maker(
        _subscription,
        "TopicArn Protocol Endpoint FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy",
    ),
    "AWS::SQS::Queue": _maker(
        _queue,
        " ".join(QUEUE_ATTRIBUTES | {"QueueName"}),
        "SqsManagedSseEnabled KmsMasterKeyId KmsDataKeyReusePeriodSeconds",
    ),
    "AWS::SSM::Parameter": _maker(_parameter, "Name Type Value Description", "Tier AllowedPattern DataType"),
    "AWS::StepFunctions::StateMachine": _maker(
        _state_machine,
        "StateMachineName StateMachineType DefinitionS3Location DefinitionString Definition DefinitionSubstitutions "
        "RoleArn",
        "LoggingConfiguration TracingConfiguration EncryptionConfiguration",
    ),
    "AWS::Events::EventBus": _maker(_bus, "Name", "Description DeadLetterConfig KmsKeyIdentifier LogConfig"),
    "AWS::Events::Rule": _maker(
        _rule, "Name EventBusName EventPattern ScheduleExpression State Description RoleArn Targets"
    ),
    "AWS::Events::Archive": _maker(
        _archive, "ArchiveName SourceArn EventPattern RetentionDays Description", "KmsKeyIdentifier"
    ),
    "AWS::Lambda::LayerVersion": _maker(
        _layer, "LayerName Content", "Description CompatibleRuntimes CompatibleArchitectures LicenseInfo"
    ),
    "AWS::Lambda::Function": _maker(
        _function,
        "FunctionName Code PackageType Runtime Handler Layers Environment Timeout MemorySize Description Role "
        "DeadLetterConfig ReservedConcurrentExecutions",
        "TracingConfig Architectures LoggingConfig EphemeralStorage KmsKeyArn RecursiveLoop",
    ),
    "AWS::Lambda::EventInvokeConfig": _maker(
        _event_invoke_config,
        "FunctionName DestinationConfig MaximumRetryAttempts MaximumEventAgeInSeconds",
        "Qualifier",
    ),
    "AWS::Lambda::EventSourceMapping": _maker(
        _event_source_mapping, "EventSourceArn FunctionName BatchSize FunctionResponseTypes Enabled", "KmsKeyArn"
    ),
    "AWS::Scheduler::ScheduleGroup": _maker(_schedule_group, "Name"),
    "AWS::ApiGatewayV2::Api": _maker(_http_api, "Body", "FailOnWarnings Name Description DisableExecuteApiEndpoint"),
    "AWS::ApiGatewayV2::Stage": _maker(
        _stage,
        "ApiId StageName DefaultRouteSettings RouteSettings",
        "AutoDeploy AccessLogSettings Description DeploymentId",
    ),
    "AWS::Logs::LogGroup": _maker(_log_group, "LogGroupName RetentionInDays", "KmsKeyId LogGroupClass"),
}
