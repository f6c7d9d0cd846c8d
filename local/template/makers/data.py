"""Tables, buckets, parameters and log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.template.maker import CreatedResource, Maker, MakerContext, maker


def _table(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("TableName", context.name(logical_id))
    settings: dict[str, Any] = {
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
        settings["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    dynamodb = context.services.clients.dynamodb
    table = dynamodb.create_table(TableName=name, **settings)["TableDescription"]
    if ttl := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    return CreatedResource(name, {"Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn")})


def _bucket(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    default = f"{context.pseudo.stack_name}-{logical_id}-{context.pseudo.account}".lower()
    name = properties.get("BucketName", default)
    region: Any = context.pseudo.region
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    context.services.clients.s3.create_bucket(Bucket=name, **where)
    if versioning := properties.get("VersioningConfiguration"):
        context.services.clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    notifications: Mapping[str, Any] = properties.get("NotificationConfiguration") or {}
    if unknown := sorted(set(notifications) - {"EventBridgeConfiguration"}):
        raise ValueError(f"the local cloud's buckets send events to EventBridge only, not by {unknown[0]}")
    if (notifications.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled"):
        context.services.clients.s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    domain = f"{name}.s3.amazonaws.com"
    regional = f"{name}.s3.{region}.amazonaws.com"
    return CreatedResource(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": regional})


def _parameter(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("Name", f"CFN-{context.name(logical_id)}")
    kind = properties["Type"]
    context.services.clients.ssm.put_parameter(
        Name=name, Value=properties["Value"], Type=kind, Description=properties.get("Description", "")
    )
    return CreatedResource(name, {"Type": kind, "Value": properties["Value"]})


def _log_group(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("LogGroupName", context.name(logical_id))
    context.services.clients.logs.create_log_group(logGroupName=name)
    if days := properties.get("RetentionInDays"):
        context.services.clients.logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))
    return CreatedResource(name, {"Arn": f"{context.arn('logs', f'log-group:{name}')}:*"})


MAKERS: Mapping[str, Maker] = {
    "AWS::DynamoDB::Table": maker(
        _table,
        "TableName AttributeDefinitions KeySchema BillingMode ProvisionedThroughput GlobalSecondaryIndexes "
        "LocalSecondaryIndexes StreamSpecification TimeToLiveSpecification PointInTimeRecoverySpecification",
        "SSESpecification DeletionProtectionEnabled TableClass ContributorInsightsSpecification OnDemandThroughput "
        "WarmThroughput",
    ),
    "AWS::S3::Bucket": maker(
        _bucket,
        "BucketName VersioningConfiguration NotificationConfiguration",
        "BucketEncryption PublicAccessBlockConfiguration OwnershipControls LifecycleConfiguration LoggingConfiguration",
    ),
    "AWS::SSM::Parameter": maker(_parameter, "Name Type Value Description", "Tier AllowedPattern DataType"),
    "AWS::Logs::LogGroup": maker(_log_group, "LogGroupName RetentionInDays", "KmsKeyId LogGroupClass"),
}
