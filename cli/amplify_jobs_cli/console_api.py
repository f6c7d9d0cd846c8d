"""The jobs API as the console calls it: its errors become pages that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from amplify_jobs.errors import AmplifyJobsError, ServiceTrouble
from amplify_jobs_cli.api import Api, ApiRefusedError
from amplify_jobs_console.api import ApiError

# By status, which need not be one that Python has a name for.
_TITLES: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "These credentials may not do that",
    HTTPStatus.NOT_FOUND: "There is no such thing",
    HTTPStatus.CONFLICT: "That can't be done now",
}


@dataclass(frozen=True)
class ConsoleApi:
    """Calls the jobs API with the credentials of whoever started the command line."""

    api: Api

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        """Read an answer. Raises ApiError."""
        try:
            return self.api.get(path, query)
        except AmplifyJobsError as error:
            raise _as_api_error(error) from None

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for something. Raises ApiError."""
        try:
            return self.api.post(path, body)
        except AmplifyJobsError as error:
            raise _as_api_error(error) from None


def _as_api_error(error: AmplifyJobsError) -> ApiError:
    if isinstance(error, ApiRefusedError):
        title = _TITLES.get(error.status, "The API refused the call")
        return ApiError(error.status, title, str(error))
    status = 503 if isinstance(error, ServiceTrouble) else 502
    return ApiError(status, "The API does not answer as it should", str(error))
