"""Makes the resources of a template in the local cloud: one maker per type, each naming the properties that it knows.

A type or property that nothing here knows stops the local cloud with a message that names it, so that what runs
locally is what is deployed. Types and properties without a meaning on one machine are listed, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.permissions.roles import Credentials
from local.server.protocol.errors import ServiceError
from local.services.account import AccountServices
from local.template.loader import Pseudo, Resource, Template, TemplateError
from local.template.maker import CreatedResource, Maker, MakerContext
from local.template.makers import data, events, functions, http_api, iam, messaging, state_machines

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

MAKERS: Mapping[str, Maker] = {
    **data.MAKERS,
    **events.MAKERS,
    **functions.MAKERS,
    **http_api.MAKERS,
    **iam.MAKERS,
    **messaging.MAKERS,
    **state_machines.MAKERS,
}


@dataclass(frozen=True)
class SkippedResource:
    """A resource that the local cloud leaves out."""

    logical_id: str
    type: str
    reason: str


def left_out(template: Template) -> list[SkippedResource]:
    """What the local cloud leaves out of a template."""
    return [
        SkippedResource(resource.logical_id, resource.type, NO_LOCAL_MEANING[resource.type])
        for resource in template.resources.values()
        if resource.type in NO_LOCAL_MEANING
    ]


class Resources:
    """Makes every resource of a template, each after those that it refers to.

    Raises TemplateError, naming the resource, for what can't be made.
    """

    def __init__(self, template: Template, pseudo: Pseudo, services: AccountServices) -> None:
        self.template = template
        self.pseudo = pseudo
        self._context = MakerContext(template, pseudo, services)
        self._created: dict[str, CreatedResource] = {}
        # The resources that are being made, each for the sake of the one before.
        self._path: list[str] = []

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
        return self._created[logical_id].physical_id

    def credentials(self, logical_id: str) -> Credentials:
        """Credentials with the rights of a role or managed policy; raises KeyError for what is neither."""
        resource = self._created[logical_id]
        arn = resource.attributes.get("Arn", resource.physical_id)
        if resource.physical_id in self._context.managed_policies:
            arn = f"arn:aws:iam::{self.pseudo.account}:role/{self._context.name(logical_id)}"
            self._context.services.authorization.roles.add(arn, [self._context.managed_policies[resource.physical_id]])
        credentials = self._context.services.authorization.roles.assume(arn, "person")
        if credentials is None:
            raise KeyError(logical_id)
        return credentials

    def _lookup(self, logical_id: str, attribute: str | None) -> Any:
        resource = self._get(logical_id)
        if attribute is None:
            return resource.physical_id
        if attribute not in resource.attributes:
            kind = self.template.resources[logical_id].type
            attributes = ", ".join(sorted(resource.attributes)) or "none"
            raise TemplateError(
                f"{logical_id} ({kind}) has no attribute {attribute!r} in the local cloud; it has {attributes}"
            )
        return resource.attributes[attribute]

    def _get(self, logical_id: str) -> CreatedResource:
        if logical_id in self._created:
            return self._created[logical_id]
        if logical_id not in self.template.resources:
            raise TemplateError(f"nothing in the template is called {logical_id!r}")
        if logical_id in self._path:
            circle = " -> ".join([*self._path, logical_id])
            raise TemplateError(f"resources refer to each other in a circle: {circle}")
        self._path.append(logical_id)
        try:
            self._created[logical_id] = self._make(self.template.resources[logical_id])
        finally:
            self._path.pop()
        return self._created[logical_id]

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
        applied = {name: value for name, value in resource.properties.items() if name in maker.applied}
        properties = self.template.resolve(applied, self._lookup)
        try:
            return maker.make(self._context, resource.logical_id, properties)
        except ClientError as error:
            raise TemplateError(f"{where}: {error.response['Error']['Message']}") from error
        except ServiceError as error:
            raise TemplateError(f"{where}: {error.message}") from error
        except (ValueError, KeyError, OSError) as error:
            raise TemplateError(f"{where}: {error}") from error

    def _stand_in(self, resource: Resource) -> CreatedResource:
        """Names for what is left out, since others refer to keys and alarms."""
        name = self._context.name(resource.logical_id)
        match resource.type:
            case "AWS::KMS::Key":
                return CreatedResource(name, {"Arn": self._context.arn("kms", f"key/{name}"), "KeyId": name})
            case "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm":
                return CreatedResource(name, {"Arn": self._context.arn("cloudwatch", f"alarm:{name}")})
        return CreatedResource(name)
