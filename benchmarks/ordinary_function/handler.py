"""An ordinary function, as people write them: two clients, Powertools' usual tools, an event parsed with the parser.

It answers with what it parsed and calls nothing, so that whatever is measured against it has the harder part.
"""

import os

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.parser import event_parser
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

logger = Logger()
tracer = Tracer()
metrics = Metrics()
table = boto3.resource("dynamodb").Table(os.environ["IDEMPOTENCY_TABLE"])
sns = boto3.client("sns")
orders_taken = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
idempotency = IdempotencyConfig(event_key_jmespath="order_id")


class Item(BaseModel):
    name: str
    count: int = Field(ge=1)


class Order(BaseModel):
    order_id: str
    items: list[Item]
    pay: bool = False


@idempotent_function(data_keyword_argument="order", config=idempotency, persistence_store=orders_taken)  # type: ignore[untyped-decorator]
def pay(*, order: Order) -> str:
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=order.model_dump_json())
    return order.order_id


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
@event_parser(model=Order)
def handler(order: Order, context: LambdaContext) -> dict[str, object]:
    idempotency.register_lambda_context(context)
    metrics.add_metric("Orders", MetricUnit.Count, 1)
    if order.pay:
        pay(order=order)
    logger.info("Order taken", extra={"order_id": order.order_id})
    return {"orderId": order.order_id, "items": sum(item.count for item in order.items)}
