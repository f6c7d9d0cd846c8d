"""The secrets of sources: SSM SecureString parameters, kept in the process for a few minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from amplify_jobs.aws.signed_http import PATIENT_SECONDS, AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import NotSetUpError, ServiceTrouble

logger = Logger(child=True)

# So long a secret that was taken out of SSM goes on to work.
SECONDS_FRESH = 300.0
# A wrong signature may mean a rotated secret, but whoever sends wrong ones must not make us call SSM for each; nor is
# SSM called for each delivery while it fails.
SECONDS_BETWEEN_READS = 60.0

_GET_PARAMETERS = JsonOperation("ssm", "AmazonSSM.GetParameters", "1.1", proof="Parameters", patience=PATIENT_SECONDS)


@dataclass
class _Copy:
    values: list[str]
    read_at: float
    tried_at: float


class Secrets:
    """Reads secrets by the names of their SSM parameters; never logs or repeats a value."""

    def __init__(self, aws: AwsHttp, clock: Callable[[], float] = time.monotonic) -> None:
        self._aws = aws
        self._clock = clock
        self._copies: dict[tuple[str, ...], _Copy] = {}

    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        """The secrets under these names, at most SECONDS_FRESH old; older ones serve while SSM fails.

        Raises ServiceTrouble if the secrets can't be read and never were, and NotSetUpError if none is stored.
        """
        copy = self._copies.get(names)
        if copy is None:
            return self._read(names)
        if self._clock() - copy.read_at >= SECONDS_FRESH and self._may_read(copy):
            return self._refresh(names, copy)
        return copy.values

    def newer_values(self, names: tuple[str, ...]) -> Sequence[str] | None:
        """The secrets read anew, after those of `values` did not match; None if SSM was called less than a minute ago.

        Raises NotSetUpError if none is stored any more.
        """
        copy = self._copies[names]
        return self._refresh(names, copy) if self._may_read(copy) else None

    def _may_read(self, copy: _Copy) -> bool:
        return self._clock() - copy.tried_at >= SECONDS_BETWEEN_READS

    def _refresh(self, names: tuple[str, ...], copy: _Copy) -> list[str]:
        copy.tried_at = self._clock()
        try:
            return self._read(names)
        except NotSetUpError:
            del self._copies[names]
            raise
        except ServiceTrouble as trouble:
            logger.warning("The secrets can't be read; the ones in memory are used", extra={"reason": str(trouble)})
            return copy.values

    def _read(self, names: tuple[str, ...]) -> list[str]:
        """Read all that are stored (API: GetParameters): while secrets rotate, one of them may be missing."""
        shown = ", ".join(names)
        try:
            answer = self._aws.call(_GET_PARAMETERS, {"Names": list(dict.fromkeys(names)), "WithDecryption": True})
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"SSM refused to read {shown}: {refusal.code}") from None
        try:
            stored = {str(parameter["Name"]): str(parameter["Value"]) for parameter in answer["Parameters"]}
            missing = set(answer["InvalidParameters"])
        except (KeyError, TypeError):
            raise ServiceTrouble(f"SSM answered without the values of {shown}") from None
        if not set(names) <= stored.keys() | missing:
            raise ServiceTrouble(f"SSM answered without the values of {shown}")
        if not stored:
            raise NotSetUpError(f"no secret is stored in SSM under {shown}")
        now = self._clock()
        values = [stored[name] for name in names if name in stored]
        self._copies[names] = _Copy(values, read_at=now, tried_at=now)
        return values
