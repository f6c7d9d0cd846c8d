"""Messages to people about targets of reports that do not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import aws_errors
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.destination import Destination
from amplify_jobs.routing.report_targets import secrets_of

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient


class TargetNotices:
    """Publishes to the stack's topic."""

    def __init__(self, sns: SNSClient, topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    @classmethod
    def connect(cls, topic_arn: str) -> TargetNotices:
        return cls(boto3.client("sns", config=client_config(attempts=3, read_timeout=5)), topic_arn)

    def tell_stopped(self, destination: Destination, reason: str) -> None:
        """Say once that a target gets no reports any more (API: SNS Publish). Raises ServiceTrouble."""
        remedy = (
            "No report is sent to it until its configuration changes. Put a new token or address into SSM under "
            "another name, write that name into routes.yaml, and push (docs/reports.md).\n"
            if secrets_of(destination.target)
            else "No report is sent to it. Remove the cause, then start the target again: "
            f"amplify-jobs reports resume {destination.name}\n"
        )
        message = (
            f"The target {destination.name} of reports ({destination.target.kind}) does not take them: {reason}\n\n"
            f"{remedy}"
        )
        self._publish(f"Reports stopped: {destination.name}", message)

    def tell_missing_secret(self, destination: Destination, name: str) -> None:
        """Say that reports wait for a secret that is not stored (API: SNS Publish). Raises ServiceTrouble."""
        message = (
            f"The target {destination.name} of reports ({destination.target.kind}) needs the secret {name}, which is "
            "not in SSM.\n\n"
            "Its reports wait for about three days. `amplify-jobs routes push` prints the command that stores the "
            "secret; nothing else is to be done (docs/reports.md).\n"
        )
        self._publish(f"Reports wait for a secret: {destination.name}", message)

    def _publish(self, subject: str, message: str) -> None:
        with aws_errors("SNS Publish"):
            answer = self._sns.publish(TopicArn=self._topic_arn, Subject=subject, Message=message)
            message_id = answer.get("MessageId")
        if not message_id:
            raise ServiceTrouble("SNS Publish: answered without MessageId")
