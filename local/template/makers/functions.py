"""Functions with their layers, what becomes of their events, and the queues that they are mapped to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.services.delivery import RetryPolicy
from local.services.functions import async_invocation
from local.services.functions.async_invocation import AsyncConfig
from local.services.functions.event_sources import DEFAULT_BATCH, QueueMapping
from local.services.functions.function import Function
from local.template.maker import CreatedResource, Maker, MakerContext, maker


def _event_source_mapping(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    queue = properties["EventSourceArn"]
    if not queue.startswith("arn:aws:sqs:"):
        raise ValueError(f"the local cloud maps queues to functions, not {queue}")
    function = context.services.functions.function(properties["FunctionName"])
    mapping = QueueMapping(
        queue_arn=queue,
        function=function.name,
        batch_size=int(properties.get("BatchSize", DEFAULT_BATCH)),
        partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        role=function.role,
    )
    if properties.get("Enabled", True) in {True, "true"}:
        context.services.event_sources.add(mapping)
    return CreatedResource(context.name(logical_id))


def _layer(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    content = properties["Content"]
    folder = context.template.local_path(content["S3Bucket"], content["S3Key"])
    arn = context.arn("lambda", f"layer:{properties.get('LayerName', context.name(logical_id))}:1")
    # What sam build puts under python/ lies at the top of the source tree's folder.
    context.layers[arn] = folder / "python" if (folder / "python").is_dir() else folder
    return CreatedResource(arn, {"LayerVersionArn": arn})


def _function(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("FunctionName", context.name(logical_id))
    code = properties["Code"]
    if "S3Key" not in code:
        raise ValueError("the local cloud runs functions whose CodeUri is a folder, no inline code and no images")
    if properties.get("PackageType", "Zip") != "Zip" or not str(properties.get("Runtime", "")).startswith("python"):
        raise ValueError(f"the local cloud runs Python functions only, not {properties.get('Runtime')}")
    layer_arns = properties.get("Layers", [])
    if unknown := [arn for arn in layer_arns if arn not in context.layers]:
        raise ValueError(f"the layer {unknown[0]} is not of this template")
    variables: Mapping[str, Any] = properties.get("Environment", {}).get("Variables", {})
    reserved = properties.get("ReservedConcurrentExecutions")
    function = Function(
        name=name,
        arn=context.arn("lambda", f"function:{name}"),
        handler=properties["Handler"],
        folder=context.template.local_path(code["S3Bucket"], code["S3Key"]),
        variables={key: str(value) for key, value in variables.items()},
        timeout_seconds=float(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        layers=[context.layers[arn] for arn in layer_arns],
        layer_arns=layer_arns,
        description=properties.get("Description", ""),
        runtime=properties["Runtime"],
        role=properties.get("Role", ""),
        dead_letter_arn=properties.get("DeadLetterConfig", {}).get("TargetArn"),
        reserved_concurrency=None if reserved is None else int(reserved),
    )
    if not function.folder.is_dir():
        raise ValueError(f"its CodeUri {code['S3Key']} is no folder")
    context.services.functions.add(function)
    return CreatedResource(name, {"Arn": function.arn})


def _event_invoke_config(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    destinations = properties.get("DestinationConfig", {})
    policy = RetryPolicy(
        int(properties.get("MaximumRetryAttempts", async_invocation.MAX_RETRIES)),
        float(properties.get("MaximumEventAgeInSeconds", async_invocation.MAX_AGE_SECONDS)),
    )
    config = AsyncConfig(
        policy,
        on_failure=destinations.get("OnFailure", {}).get("Destination"),
        on_success=destinations.get("OnSuccess", {}).get("Destination"),
    )
    context.services.functions.configure_async(properties["FunctionName"], config)
    return CreatedResource(context.name(logical_id))


MAKERS: Mapping[str, Maker] = {
    "AWS::Lambda::LayerVersion": maker(
        _layer, "LayerName Content", "Description CompatibleRuntimes CompatibleArchitectures LicenseInfo"
    ),
    "AWS::Lambda::Function": maker(
        _function,
        "FunctionName Code PackageType Runtime Handler Layers Environment Timeout MemorySize Description Role "
        "DeadLetterConfig ReservedConcurrentExecutions",
        "TracingConfig Architectures LoggingConfig EphemeralStorage KmsKeyArn RecursiveLoop VpcConfig",
    ),
    "AWS::Lambda::EventInvokeConfig": maker(
        _event_invoke_config,
        "FunctionName DestinationConfig MaximumRetryAttempts MaximumEventAgeInSeconds",
        "Qualifier",
    ),
    "AWS::Lambda::EventSourceMapping": maker(
        _event_source_mapping, "EventSourceArn FunctionName BatchSize FunctionResponseTypes Enabled", "KmsKeyArn"
    ),
}
