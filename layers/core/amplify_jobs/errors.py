"""The error tree. What matters of an error is what to do next: try again, or give the request up."""


class AmplifyJobsError(Exception):
    """Something that amplify-jobs knows how to name; the message is fit for a person's eyes."""


class TryAgain(AmplifyJobsError):
    """Base of what the state machine retries with backoff and jitter."""


class Throttled(TryAgain):
    """Amplify refused the call for its rate or a quota; nothing was started."""


class BranchBusy(TryAgain):
    """The branch takes no further job now; nothing was started."""


class StartUnresolved(TryAgain):
    """A start was sent and its answer was lost; whether a job exists is not known yet."""


class ServiceTrouble(TryAgain):
    """A service that we need failed, did not answer, or answered nonsense."""


class RequestRejected(AmplifyJobsError):
    """The request can't succeed however often it is tried; the message says why."""
