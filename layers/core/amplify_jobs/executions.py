"""Executions of the job state machine: one for each request, named by its id."""

from __future__ import annotations

from amplify_jobs.aws_http import AwsHttp, AwsRefusal
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.requests import JobRequest


class Executions:
    """Starts executions of one state machine."""

    def __init__(self, aws: AwsHttp, state_machine_arn: str) -> None:
        self._aws = aws
        self._state_machine_arn = state_machine_arn

    def start(self, request: JobRequest) -> bool:
        """Start the request's execution; False if there was one before, that is, the request is a duplicate.

        Name and input decide: a repeat of the very same call succeeds, while another delivery of the same event has
        another time of receipt, and is refused (Step Functions API, StartExecution: ExecutionAlreadyExists).
        Raises ServiceTrouble.
        """
        parameters = {
            "stateMachineArn": self._state_machine_arn,
            "name": request.request_id,
            "input": request.model_dump_json(by_alias=True),
        }
        try:
            self._aws.call("states", "AWSStepFunctions.StartExecution", "1.0", parameters)
        except AwsRefusal as refusal:
            if refusal.code == "ExecutionAlreadyExists":
                return False
            raise ServiceTrouble(f"Step Functions refused to start an execution: {refusal}") from None
        return True
