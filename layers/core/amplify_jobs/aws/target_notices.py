"""Messages to people that a target of reports was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.destination import Destination

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient


class TargetNotices:
    """Publishes to the stack's topic."""

    def __init__(self, sns: SNSClient, topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    @classmethod
    def connect(cls, topic_arn: str) -> TargetNotices:
        config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5)
        return cls(boto3.client("sns", config=config), topic_arn)

    def tell_stopped(self, destination: Destination, reason: str) -> None:
        """Say once that a target gets no reports any more (API: SNS Publish). Raises ServiceTrouble."""
        message = (
            f"The target {destination.name} of reports ({destination.target.kind}) does not take them: {reason}\n\n"
            "No report is sent to it until reports in routes.yaml changes. `amplify-jobs reports check` says what is "
            "wrong.\n"
        )
        try:
            self._sns.publish(TopicArn=self._topic_arn, Subject=f"Reports stopped: {destination.name}", Message=message)
        except (ClientError, BotoCoreError) as error:
            raise ServiceTrouble(f"SNS Publish: no answer ({type(error).__name__})") from error
