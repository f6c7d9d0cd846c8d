"""Values of secrets in SSM, read with the credentials of whoever checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amplify_jobs.errors import NotSetUpError
from amplify_jobs_cli.aws_calls import aws_call

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient


class StackSecrets:
    """Reads secrets as aws.secrets does, without keeping them."""

    def __init__(self, ssm: SSMClient) -> None:
        self._ssm = ssm

    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        """The values (API: GetParameters). Raises NotSetUpError where one is missing, and ServiceTrouble."""
        with aws_call("SSM can't be asked"):
            answer = self._ssm.get_parameters(Names=list(names), WithDecryption=True)
            stored = {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
        if missing := [name for name in names if name not in stored]:
            raise NotSetUpError(f"no secret is stored in SSM under {', '.join(missing)}")
        return [stored[name] for name in names]
