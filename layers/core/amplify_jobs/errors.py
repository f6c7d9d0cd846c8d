"""The error tree. What matters of an error is what to do next: try again, or give the request up."""

from collections.abc import Sequence
from typing import ClassVar

from amplify_jobs.text import without_secrets


class AmplifyJobsError(Exception):
    """Something that amplify-jobs knows how to name; the message is fit for a person's eyes, and holds no secret."""

    def __init__(self, message: str = "") -> None:
        # The runtime logs what is raised, and Step Functions keeps it: no other place sees all of it.
        super().__init__(without_secrets(message))


class RetryableError(AmplifyJobsError):
    """Base of what the state machine retries with backoff and jitter."""


class Throttled(RetryableError):  # noqa: N818 -- the state machine catches it by this name
    """Amplify refused the call for its rate or a quota; nothing was started."""


class BranchBusy(RetryableError):  # noqa: N818 -- the state machine catches it by this name
    """The branch takes no further job now; nothing was started."""


class StartUnresolved(RetryableError):  # noqa: N818 -- the state machine catches it by this name
    """A start was sent and its answer was lost; whether a job exists is not known yet."""


class ServiceTrouble(RetryableError):  # noqa: N818 -- the state machine catches it by this name
    """A service that we need failed, did not answer, or answered nonsense."""


class NotSetUpError(ServiceTrouble):
    """Something that an operator has to do first was not done: routes were never pushed, or a secret is not stored."""


class RequestRejected(AmplifyJobsError):  # noqa: N818 -- the state machine catches it by this name
    """The request can't succeed however often it is tried; the message says why."""


class UnknownResourceError(RequestRejected):
    """A start names an app, branch, environment or job that is not there; `parameters` are those that may be wrong.

    Whoever knows the request turns it into a plain RequestRejected, by which name the state machine catches it.
    """

    def __init__(self, message: str, parameters: Sequence[str]) -> None:
        super().__init__(message)
        self.parameters = tuple(parameters)

    def rejection(self, route: str | None) -> RequestRejected:
        """The error with what to correct and where; `route` is None for a request that no route made."""
        place = f"route {route} of routes.yaml" if route else "the request"
        *rest, last = self.parameters
        names = f"{', '.join(rest)} and {last}" if rest else last
        return RequestRejected(f"{self} (check {names} in {place})")


class NotFoundError(AmplifyJobsError):
    """Amplify knows no such app, branch, environment or job."""


class NotDownloadableError(AmplifyJobsError):
    """There is nothing to be had at this address, however often it is asked; the message does not repeat it."""


class PrivateAddressError(NotDownloadableError):
    """The host has a private address, and the stack does not allow it for this host."""


class Superseded(AmplifyJobsError):  # noqa: N818 -- the state machine catches it by this name
    """A newer request made this one moot before it was sent, or a person did; the message names the newer one, or says
    that it was stopped.
    """


class AlreadyFollowed(AmplifyJobsError):  # noqa: N818 -- the state machine catches it by this name
    """Another request has the job that this one is to follow, and announces it; there is nothing to tell anybody."""


class InvalidSchemaError(RequestRejected):
    """A GraphQL schema that can't be turned into data for a codegen job; the message opens with line and column."""


class InvalidRoutesError(AmplifyJobsError):
    """A routes file, or the routes in the bucket, that can't be used; `faults` has one line for each thing wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class InvalidEventError(AmplifyJobsError):
    """A function was invoked with an event of another form; the message names every fault, and repeats no value."""


class UnreadableLogError(AmplifyJobsError):
    """A build's log that can't be read; the message names the file."""


class StackNotFoundError(AmplifyJobsError):
    """There is no stack of this name; the message says where it was looked for."""


class UnknownTargetError(AmplifyJobsError):
    """The routes have no target of this name; the message says which they have."""


class PushRefusedError(AmplifyJobsError):
    """A push of routes that somebody has to agree to; nothing was written."""


class UnreadableMessageError(AmplifyJobsError):
    """A message of the intake queue that is neither an event nor a delivery."""


class DeliveryRefusedError(AmplifyJobsError):
    """A webhook delivery that is not taken; `status` is the HTTP status of the answer."""

    status: ClassVar[int]


class InvalidSignatureError(DeliveryRefusedError):
    """The delivery's signature is missing, malformed or made with another secret."""

    status = 401


class UnknownSourceError(DeliveryRefusedError):
    """No source of the routes has the name in the delivery's address."""

    status = 404


class DeliveryTooLargeError(DeliveryRefusedError):
    """The delivery's body exceeds what we take."""

    status = 413


class UnreadableDeliveryError(DeliveryRefusedError):
    """The delivery is authentic, but it can't be understood; the message says what in it."""

    status = 400


class UnusableRefError(UnreadableDeliveryError):
    """A delivery tells of a branch or tag whose name can't be used; the message names it and says why.

    Where it tells of one ref only it is ignored for this reason, as it is beside others.
    """


class OrderError(AmplifyJobsError):
    """A request to the API that is not done; `status` is the HTTP status of the answer."""

    status: ClassVar[int]


class BadQueryError(OrderError):
    """A question that the API can't answer; the message says what to ask instead."""

    status = 400


class NotAllowedError(OrderError):
    """The routes do not allow what was requested; the message says why."""

    status = 403


class UnknownItemError(OrderError):
    """There is no request or delivery of this id, or no log."""

    status = 404


class ConflictError(OrderError):
    """What was ordered can't be done in the state that the request is in."""

    status = 409


class InvalidOrderError(OrderError):
    """What was ordered is no order; the message names every fault."""

    status = 422
