"""The secrets of sources: SSM SecureString parameters, kept in the process until one seems to have changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from amplify_jobs.aws_http import AwsHttp, AwsRefusal
from amplify_jobs.errors import NotAuthentic, ServiceTrouble

# A wrong signature may mean a rotated secret, but whoever sends wrong ones must not make us call SSM for each.
SECONDS_BETWEEN_READS = 60.0


class Secrets:
    """Reads secrets by the names of their SSM parameters; never logs or repeats a value."""

    def __init__(self, aws: AwsHttp, clock: Callable[[], float] = time.monotonic) -> None:
        self._aws = aws
        self._clock = clock
        self._read: dict[tuple[str, ...], tuple[float, list[str]]] = {}

    def verify(self, names: tuple[str, ...], verify: Callable[[Sequence[str]], None]) -> None:
        """Run a verification with the secrets; when it fails, once more with fresh ones, at most once a minute.

        Raises NotAuthentic, and ServiceTrouble if the secrets can't be read.
        """
        known = self._read.get(names)
        if known is not None:
            read_at, values = known
            try:
                return verify(values)
            except NotAuthentic:
                if self._clock() - read_at < SECONDS_BETWEEN_READS:
                    raise
        values = self._fresh(names)
        self._read[names] = (self._clock(), values)
        return verify(values)

    def _fresh(self, names: tuple[str, ...]) -> list[str]:
        values = [value for name in names if (value := self._parameter(name)) is not None]
        if not values:
            raise ServiceTrouble(f"no secret is stored in SSM under {', '.join(names)}")
        return values

    def _parameter(self, name: str) -> str | None:
        """A parameter's value, or None if there is no such parameter: while secrets rotate, one may be missing."""
        try:
            answer = self._aws.call("ssm", "AmazonSSM.GetParameter", "1.1", {"Name": name, "WithDecryption": True})
        except AwsRefusal as refusal:
            if refusal.code == "ParameterNotFound":
                return None
            raise ServiceTrouble(f"SSM refused to read parameter {name}: {refusal.code}") from None
        try:
            return str(answer["Parameter"]["Value"])
        except (KeyError, TypeError):
            raise ServiceTrouble(f"SSM answered without the value of parameter {name}") from None
