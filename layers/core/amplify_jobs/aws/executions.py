"""Executions of the job state machine: one for each request, named by its id."""

from __future__ import annotations

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.large_request import (
    is_too_large,
    parameters_key,
    split_parameters,
    with_short_texts,
    with_too_large_fault,
)
from amplify_jobs.model.request import JobRequest

_DESCRIBE_EXECUTION = JsonOperation("states", "AWSStepFunctions.DescribeExecution", "1.0", proof="executionArn")
_START_EXECUTION = JsonOperation("states", "AWSStepFunctions.StartExecution", "1.0", proof="executionArn")


class Executions:
    """Starts executions of one state machine; requests too large for an input are kept in a bucket."""

    def __init__(self, aws: AwsHttp, state_machine_arn: str, bucket: str) -> None:
        self._aws = aws
        self._state_machine_arn = state_machine_arn
        self._bucket = bucket

    def start(self, request: JobRequest) -> bool:
        """Start the request's execution; False if there was one before, that is, the request is a duplicate.

        Name and input decide: a repeat of the very same call succeeds, while another delivery of the same event has
        another time of receipt, and is refused (Step Functions API, StartExecution: ExecutionAlreadyExists).
        Raises ServiceTrouble.
        """
        request = with_short_texts(request)
        execution_input = request.model_dump_json(by_alias=True)
        if is_too_large(execution_input):
            execution_input = self._smaller(request).model_dump_json(by_alias=True)
        parameters = {
            "stateMachineArn": self._state_machine_arn,
            "name": request.request_id,
            "input": execution_input,
        }
        try:
            self._aws.call(_START_EXECUTION, parameters)
        except AwsRefusalError as refusal:
            if refusal.code == "ExecutionAlreadyExists":
                return False
            raise ServiceTrouble(f"Step Functions refused to start an execution: {refusal}") from None
        return True

    def input_of(self, request_id: str) -> str | None:
        """The input of a request's execution, in JSON; None if there is no execution. Raises ServiceTrouble."""
        arn = f"{self._state_machine_arn.replace(':stateMachine:', ':execution:')}:{request_id}"
        try:
            answer = self._aws.call(_DESCRIBE_EXECUTION, {"executionArn": arn})
        except AwsRefusalError as refusal:
            if refusal.code in ("ExecutionDoesNotExist", "InvalidArn"):
                return None
            raise ServiceTrouble(f"Step Functions refused to describe an execution: {refusal}") from None
        text = answer.get("input")
        return text if isinstance(text, str) else None

    def _smaller(self, request: JobRequest) -> JobRequest:
        if request.parameters_uri is not None:
            return with_too_large_fault(request)
        key = parameters_key(request)
        small, parameters = split_parameters(request, f"s3://{self._bucket}/{key}")
        try:
            self._aws.put_object(self._bucket, key, parameters.encode())
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"the parameters of a large request can't be stored: {refusal}") from None
        return small
