"""The HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.template.maker import CreatedResource, Maker, MakerContext, maker


def _http_api(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    api_id = context.name(logical_id).lower()
    context.apis[api_id] = properties["Body"]
    if len(context.apis) > 1:
        raise ValueError("the local cloud serves one HTTP API, and the template has more")
    return CreatedResource(api_id, {"ApiId": api_id, "ApiEndpoint": context.services.http_api.url})


def _stage(context: MakerContext, _: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties["StageName"]
    if name != "$default":
        raise ValueError(f"the local cloud serves the stage $default only, not {name}")
    context.services.http_api.configure(properties["ApiId"], context.apis[properties["ApiId"]], properties)
    return CreatedResource(name)


MAKERS: Mapping[str, Maker] = {
    "AWS::ApiGatewayV2::Api": maker(_http_api, "Body", "FailOnWarnings Name Description DisableExecuteApiEndpoint"),
    "AWS::ApiGatewayV2::Stage": maker(
        _stage,
        "ApiId StageName DefaultRouteSettings RouteSettings",
        "AutoDeploy AccessLogSettings Description DeploymentId",
    ),
}
