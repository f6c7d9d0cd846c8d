"""Throttling in the words of every service: each calls it otherwise."""

from __future__ import annotations

# What AWS's own clients take for throttling (botocore, retries/standard.py), and SNS's word.
_CODES = {
    "bandwidthlimitexceeded",
    "limitexceededexception",
    "priorrequestnotcomplete",
    "provisionedthroughputexceededexception",
    "requestlimitexceeded",
    "slowdown",
    "toomanyrequestsexception",
    "transactioninprogressexception",
}


def is_throttling(code: str, status: int) -> bool:
    """Say whether an error, by its code and HTTP status, refuses a call for its rate: nothing was done."""
    # Most have a form of the word: Throttling, RequestThrottled of SQS, Throttled of SNS.
    return status == 429 or "throttl" in code.lower() or code.lower() in _CODES
