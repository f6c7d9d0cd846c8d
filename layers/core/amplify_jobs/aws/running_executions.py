"""Whether executions of the job state machine still run."""

from __future__ import annotations

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble

_DESCRIBE_EXECUTION = JsonOperation("states", "AWSStepFunctions.DescribeExecution", "1.0", proof="status")


class RunningExecutions:
    """Asks Step Functions."""

    def __init__(self, aws: AwsHttp) -> None:
        self._aws = aws

    def is_running(self, execution: str) -> bool:
        """Whether the execution of this ARN has not ended (API: DescribeExecution). Raises ServiceTrouble."""
        try:
            return bool(self._aws.call(_DESCRIBE_EXECUTION, {"executionArn": execution})["status"] == "RUNNING")
        except AwsRefusalError as refusal:
            if refusal.code == "ExecutionDoesNotExist":
                return False
            raise ServiceTrouble(f"Step Functions did not tell of an execution: {refusal}") from None
