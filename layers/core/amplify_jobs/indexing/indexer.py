"""Writes news into the index: each message changes the records that it concerns, and a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from amplify_jobs.errors import ServiceTrouble, UnreadableMessageError
from amplify_jobs.indexing import items
from amplify_jobs.indexing.branch import BranchRecord, branch_news
from amplify_jobs.indexing.delivery import merge_deliveries
from amplify_jobs.indexing.items import Item
from amplify_jobs.indexing.news import News, read_news
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.summary import summary
from amplify_jobs.intake.record import DeliveryRecord
from amplify_jobs.observability import function_metrics

Change = Callable[[str | None], Item]
"""Makes the item from the record that there is, in JSON; None if there is none."""

logger = Logger(child=True)
metrics = function_metrics()


class Index(Protocol):
    """The table of the index; aws.index_table.IndexTable. Both methods raise ServiceTrouble."""

    def change(self, key: tuple[str, str], change: Change) -> None:
        """Change an item, again if others change it meanwhile."""

    def write_health(self, as_of: datetime, lag_seconds: int) -> None: ...


@dataclass(frozen=True)
class Indexer:
    """Indexes batches of the queue; `now` is the clock."""

    index: Index
    now: Callable[[], datetime]

    def process(self, batch: dict[str, Any]) -> PartialItemFailureResponse:
        """Index a batch, and name the messages that are to come again."""
        processor = BatchProcessor(event_type=EventType.SQS)
        processor.raise_on_entire_batch_failure = False
        response = process_partial_response(event=batch, record_handler=self._process_record, processor=processor)
        metrics.add_metric("NewsIndexed", MetricUnit.Count, len(processor.success_messages))
        return response

    def _process_record(self, record: SQSRecord) -> None:
        try:
            news = read_news(record.body)
            self.apply(news)
        except UnreadableMessageError as error:
            logger.error("A message is no news", extra={"id": record.message_id, "reason": str(error)})  # noqa: TRY400
            raise
        except ServiceTrouble as trouble:
            logger.warning("News have to wait", extra={"id": record.message_id, "reason": str(trouble)})
            raise
        except Exception as error:
            # Powertools counts the message as failed, without a line in the log; pydantic's text would repeat it.
            logger.error("News can't be indexed", extra={"id": record.message_id, "error": type(error).__name__})  # noqa: TRY400
            raise

    def apply(self, news: News) -> None:
        """Write what a message tells. Safe to call again. Raises ServiceTrouble."""
        for request in news.requests:
            self._index_request(request)
        if news.delivery is not None:
            self._index_delivery(news.delivery)
        now = self.now()
        self.index.write_health(now, max(int((now - news.at).total_seconds()), 0))

    def _index_request(self, news: RequestRecord) -> None:
        merged = news

        def change(text: str | None) -> Item:
            nonlocal merged
            merged = RequestRecord.model_validate_json(text).merge(news) if text else news
            return items.request_item(merged)

        self.index.change(items.request_key(news.request_id), change)
        branch = branch_news(summary(merged))
        if branch is not None:
            self._index_branch(branch)

    def _index_branch(self, news: BranchRecord) -> None:
        def change(text: str | None) -> Item:
            return items.branch_item(BranchRecord.model_validate_json(text).merge(news) if text else news)

        self.index.change(items.branch_key(news.app_id, news.branch_name), change)
        if news.app_name is not None:
            self.index.change(items.app_key(news.app_name, news.app_id), lambda _: items.app_item(news.app_id))

    def _index_delivery(self, news: DeliveryRecord) -> None:
        def change(text: str | None) -> Item:
            record = DeliveryRecord.model_validate_json(text) if text else None
            # Whoever names deliveries as another source does changes nothing of that one's.
            if record is not None and record.source != news.source:
                return items.delivery_item(record)
            return items.delivery_item(merge_deliveries(record, news) if record else news)

        self.index.change(items.delivery_key(news.delivery_id), change)
