"""botocore's models of the services, by the names that requests are signed with."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel

# Where the name in a request's signature is not the name of botocore's model.
MODEL_NAMES = {"states": "stepfunctions", "monitoring": "cloudwatch", "email": "ses"}


@cache
def service_model(service: str) -> ServiceModel:
    """The botocore model of a service, by its signing name or botocore's own; raises UnknownServiceError."""
    name = MODEL_NAMES.get(service, service)
    description = Loader(include_default_search_paths=True).load_service_model(name, "service-2")
    return ServiceModel(description, service_name=name)


def protocol_of(service: str) -> str:
    """The protocol that botocore's clients speak with a service."""
    return str(service_model(service).resolved_protocol)
