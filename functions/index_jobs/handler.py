"""Writes what is told of requests and deliveries into the index, from which the API answers."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.index_table import IndexTable
from amplify_jobs.clock import utc_now
from amplify_jobs.indexing.indexer import Indexer
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings


class IndexJobsSettings(Settings):
    """The table of the index."""

    index_table: str


logger = function_logger()
metrics = function_metrics()
settings = IndexJobsSettings.from_environment()
indexer = Indexer(IndexTable(Table(dynamodb_client(), settings.index_table), utc_now), utc_now)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return indexer.process(event)
