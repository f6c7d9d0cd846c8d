"""Fault injection for calls of any service behind the AWS endpoint, over POST, GET and DELETE /_local/faults.

A fault is injected as a JSON object:

    {"service": "amplify", "operation": "StartJob", "fault": "lose-answer", "times": 1,
     "seconds": 5, "code": "BadRequestException", "message": "…", "status": 400, "match": {"branchName": "main"}}

| fault | what the client sees | is the call done? |
| --- | --- | --- |
| throttle | the service's own throttling error (code, message and status may be given) | no |
| refuse | the error with the given code, message and status (400 unless given) | no |
| lose-answer | a connection that closes without an answer | yes |
| delay | the answer, `seconds` after the call was done (1 unless given) | yes |
| hang | nothing, until it gives up or the local cloud stops | no |
| nonsense | status 200 and a body that isn't the operation's answer | no |
| quota | throttle's error, for each call above `rate` calls a second | no |

For service "amplify" and the operations "StatusEvent", which stands for the status events that local Amplify emits, and
"ApiCallEvent", which stands for CloudTrail's events of calls that end jobs, the faults are lose, delay (by `seconds`),
duplicate, and reorder (it comes after the next one, or after `seconds`).
What the HTTP API, rules and destinations invoke is no call over the wire, and meets no fault.
A quota holds until the faults are removed, and `also` lists operations of the service that share it.
`times` is how many calls are hit (1 unless given); `match` names parameters and the values that they must have.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from botocore.exceptions import UnknownServiceError

from local.server.protocol.errors import ServiceError
from local.server.protocol.models import service_model
from local.server.token_bucket import Throttle, TokenBucket

CALL_FAULTS = ("throttle", "refuse", "lose-answer", "delay", "hang", "nonsense", "quota")
EVENT_FAULTS = ("lose", "delay", "duplicate", "reorder")
STATUS_EVENT = "StatusEvent"
API_CALL_EVENT = "ApiCallEvent"

THROTTLING: Mapping[str, tuple[str, str, int]] = {
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "lambda": ("TooManyRequestsException", "Rate Exceeded.", 429),
    "amplify": ("ThrottlingException", "Rate exceeded", 429),
    "amplifybackend": ("TooManyRequestsException", "Rate exceeded", 429),
    "amplifyuibuilder": ("ThrottlingException", "Rate exceeded", 429),
    "sns": ("Throttled", "Rate exceeded", 429),
    "sqs": ("RequestThrottled", "Rate exceeded", 403),
    "sts": ("Throttling", "Rate exceeded", 400),
}
"""How services say that they throttle where it is not ThrottlingException, "Rate exceeded", 400."""


class InvalidFaultError(ValueError):
    """A fault that can't be injected; the message says what is wrong and what would be right."""


@dataclass
class Fault:
    """One fault, with how many calls it still hits."""

    service: str
    operation: str
    fault: str
    times: int = 1
    seconds: float = 1.0
    code: str | None = None
    message: str | None = None
    status: int | None = None
    match: dict[str, Any] = field(default_factory=dict)
    rate: float | None = None
    also: list[str] = field(default_factory=list)

    def is_for(self, service: str, operation: str) -> bool:
        return self.service == service and (self.operation == operation or operation in self.also)

    def error(self) -> ServiceError:
        """The error that a throttle, quota or refuse fault answers with."""
        if self.fault in {"throttle", "quota"}:
            code, message, status = THROTTLING.get(self.service, ("ThrottlingException", "Rate exceeded", 400))
            return ServiceError(self.code or code, self.message or message, self.status or status)
        return ServiceError(self.code or "", self.message or "", self.status or 400)


class Faults:
    """The faults that are still to hit calls, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Fault] = []
        self._quotas: dict[int, TokenBucket] = {}

    def inject(self, document: object) -> Fault:
        """Inject a fault as its JSON object says; raises InvalidFaultError."""
        fault = _parse(document)
        with self._lock:
            self._open.append(fault)
            if fault.rate is not None:
                self._quotas[id(fault)] = TokenBucket(Throttle(burst=max(1.0, fault.rate), rate=fault.rate))
        return fault

    def open(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._open]

    def clear(self) -> None:
        with self._lock:
            self._open.clear()
            self._quotas.clear()

    def has_any(self, service: str, operation: str) -> bool:
        """Whether any fault is for this operation, which is cheaper than reading a call's parameters."""
        with self._lock:
            return any(fault.is_for(service, operation) for fault in self._open)

    def take(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Fault | None:
        """The oldest fault that this call fits, used up by one; `service` is the signing name."""
        with self._lock:
            for fault in self._open:
                fits = all(str(parameters.get(name)) == str(value) for name, value in fault.match.items())
                if fits and fault.is_for(service, operation) and self._use(fault):
                    return fault
        return None

    def _use(self, fault: Fault) -> bool:
        """Count a call that a fault fits; False if it is within the fault's quota."""
        if (quota := self._quotas.get(id(fault))) is not None:
            return not quota.take()
        fault.times -= 1
        if fault.times == 0:
            self._open.remove(fault)
        return True


def _parse(document: object) -> Fault:
    if not isinstance(document, dict):
        raise InvalidFaultError("a fault is a JSON object; local/server/faults.py lists its members")
    names = set(Fault.__dataclass_fields__)
    if unknown := sorted(set(document) - names):
        raise InvalidFaultError(f"unknown member {unknown[0]!r}; a fault has {', '.join(sorted(names))}")
    if missing := sorted({"service", "operation", "fault"} - set(document)):
        raise InvalidFaultError(f"{missing[0]!r} is missing")
    for name, types in _TYPES.items():
        if name in document and (not isinstance(document[name], types) or isinstance(document[name], bool)):
            raise InvalidFaultError(f"{name!r} has the wrong type: {document[name]!r}")
    fault = Fault(**document)
    fault.service = {"stepfunctions": "states"}.get(fault.service, fault.service)
    if fault.times < 1 or fault.seconds < 0:
        raise InvalidFaultError("'times' must be at least 1 and 'seconds' at least 0")
    is_event = fault.service == "amplify" and fault.operation in (STATUS_EVENT, API_CALL_EVENT)
    kinds = EVENT_FAULTS if is_event else CALL_FAULTS
    if fault.fault not in kinds:
        raise InvalidFaultError(f"no fault {fault.fault!r} for {fault.operation}; there are {', '.join(kinds)}")
    if fault.fault == "refuse" and not (fault.code and fault.message):
        raise InvalidFaultError("a refusal needs 'code' and 'message'")
    if (fault.fault == "quota") != (fault.rate is not None) or (fault.also and fault.rate is None):
        raise InvalidFaultError("a quota needs 'rate', calls a second, and may have 'also'; no other fault has them")
    if fault.rate is not None and fault.rate <= 0:
        raise InvalidFaultError("'rate' must be greater than 0")
    if not is_event:
        _check_operations(fault)
    return fault


_TYPES: Mapping[str, tuple[type, ...]] = {
    "service": (str,),
    "operation": (str,),
    "fault": (str,),
    "times": (int,),
    "seconds": (int, float),
    "code": (str,),
    "message": (str,),
    "status": (int,),
    "match": (dict,),
    "rate": (int, float),
    "also": (list,),
}


def _check_operations(fault: Fault) -> None:
    try:
        operations = service_model(fault.service).operation_names
    except UnknownServiceError:
        raise InvalidFaultError(f"no AWS service is called {fault.service!r}") from None
    for operation in (fault.operation, *fault.also):
        if operation not in operations:
            raise InvalidFaultError(f"{fault.service} has no operation {operation!r}")
