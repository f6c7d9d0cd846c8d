"""The policies that AWS manages, as moto ships them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

PREFIX = "arn:aws:iam::aws:policy/"


def managed_policy(arn: str) -> Mapping[str, Any]:
    """The document of a policy of AWS; raises ValueError for an ARN that is none's.

    The transform gives names such as AWSLambdaExecute without the path that belongs into the ARN, so that only the name
    counts.
    """
    name = arn.rpartition("/")[2]
    if not arn.startswith(PREFIX) or name not in _all():
        raise ValueError(f"AWS has no managed policy {arn}, and neither has the template")
    document: Mapping[str, Any] = _all()[name]["Document"]
    return document


@cache
def _all() -> Mapping[str, Any]:
    # Some megabytes of text, which only templates with such policies need.
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415

    policies: Mapping[str, Any] = json.loads(aws_managed_policies_data)
    return policies
