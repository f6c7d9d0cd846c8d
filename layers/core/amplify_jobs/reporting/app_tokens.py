"""Tokens of installations of GitHub Apps, kept in the process until shortly before they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.call import Answer, Call, Refused, Retry
from amplify_jobs.reporting.destination import Credentials
from amplify_jobs.reporting.github_app import (
    InstallationToken,
    app_token,
    installation_call,
    read_installation,
    read_token,
    token_call,
)
from amplify_jobs.reporting.hosts.github import API
from amplify_jobs.routing.report_targets import RepositoryTarget


class Http(Protocol):
    """What makes a call; aws.outgoing_http.OutgoingHttp. Raises ServiceTrouble where there is no answer."""

    def send(self, call: Call) -> Answer: ...


@dataclass(frozen=True)
class _App:
    """An App at its host, with the key that it had: another key is another App, and so is another host."""

    api: str
    app: str
    key: str = field(repr=False)


class AppTokens:
    """Gets and keeps tokens. One goes to the host that made it, and nowhere else: the host is part of its name."""

    def __init__(self, http: Http, clock: Callable[[], float]) -> None:
        self._http = http
        self._clock = clock
        self._tokens: dict[tuple[_App, int], InstallationToken] = {}
        self._reused: set[tuple[_App, int]] = set()
        self._installations: dict[tuple[_App, str], int] = {}

    def token(
        self, target: RepositoryTarget, credentials: Credentials, repository: str, installation: int | None
    ) -> InstallationToken | Refused | Retry:
        """A token for a repository; `installation` is what the cause names, which may be that of another App.

        Raises ServiceTrouble where GitHub does not answer.
        """
        app = _app(target, credentials)
        last_installation = self._installations.get((app, repository), installation)
        if last_installation is not None:
            result = self._of_installation(app, last_installation)
            if isinstance(result, InstallationToken):
                self._installations[app, repository] = last_installation
                return result
            if not isinstance(result, Refused) or result.stops:
                return result
        self._installations.pop((app, repository), None)
        current_installation = read_installation(
            self._send(app, lambda jwt: installation_call(app.api, repository, jwt)), self._clock()
        )
        if not isinstance(current_installation, int):
            return current_installation
        self._installations[app, repository] = current_installation
        return self._of_installation(app, current_installation)

    def forget(self, target: RepositoryTarget, credentials: Credentials, token: str) -> bool:
        """Drop a token that the host did not take; False if it was new, so that another one would not help."""
        app = _app(target, credentials)
        names = [name for name, kept_token in self._tokens.items() if name[0] == app and kept_token.value == token]
        for name in names:
            del self._tokens[name]
        return any(name in self._reused for name in names)

    def _of_installation(self, app: _App, installation: int) -> InstallationToken | Refused | Retry:
        token = self._tokens.get((app, installation))
        if token is not None and token.is_fresh(self._clock()):
            self._reused.add((app, installation))
            return token
        result = read_token(self._send(app, lambda jwt: token_call(app.api, installation, jwt)), self._clock())
        if isinstance(result, InstallationToken):
            self._tokens[app, installation] = result
            self._reused.discard((app, installation))
        return result

    def _send(self, app: _App, call: Callable[[str], Call]) -> Answer:
        return self._http.send(call(app_token(app.app, app.key, self._clock())))


def _app(target: RepositoryTarget, credentials: Credentials) -> _App:
    if target.app is None or target.key is None:
        raise ServiceTrouble(f"the target of {target.source} has no App")
    return _App(target.api or API, target.app, credentials[target.key])
