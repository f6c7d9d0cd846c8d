"""The repositories of sources and mirrors, with their credentials.

CodeCommit takes a user name and password that are made of the function's own credentials. Source: git-remote-codecommit
1.17, and the CodeCommit user guide, "Connecting to AWS CodeCommit repositories with git-remote-codecommit".
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from amplify_jobs.aws.git_http import Connections, GitRemote
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp, function_credentials
from amplify_jobs.routing.mirrors import Git, Mirror

# A host that does not answer may take so much of the time of a function that asks many.
SECONDS_OF_A_REPOSITORY = 12
# Bitbucket's for access tokens; GitHub, GitLab, Gitea, Forgejo and Azure DevOps take any beside a token.
TOKEN_USER = "x-token-auth"  # noqa: S105 -- the name of a user


@dataclass(frozen=True)
class GitRemotes:
    """Makes remotes whose work has to be done when the clock time.monotonic says `until`."""

    connections: Connections
    secrets: Secrets
    aws: AwsHttp
    until: float

    def source(self, git: Git | None, repository: str) -> GitRemote:
        """A repository of a source by its full name, or without `git` one of CodeCommit."""
        if git is None:
            return self._in_codecommit(repository, "ReconcileRepositories")
        return self._remote(git.address(repository), git)

    def target(self, mirror: Mirror) -> GitRemote:
        """The repository of a mirror."""
        name = mirror.codecommit_name
        return self._remote(mirror.to, mirror) if name is None else self._in_codecommit(name, "MirrorRepositories")

    def _in_codecommit(self, name: str, parameter: str) -> GitRemote:
        """A repository of CodeCommit; the parameter of the stack is the one that gives the right to it."""
        address = f"{self.aws.endpoint_url or self._codecommit}/v1/repos/{name}"
        return GitRemote(
            address,
            self.connections,
            lambda: _basic(*codecommit_login(address, self.aws.region, function_credentials(), datetime.now(UTC))),
            credentials=f"the function's role (parameter {parameter})",
            until=self.until,
        )

    @property
    def _codecommit(self) -> str:
        domain = "amazonaws.com.cn" if self.aws.region.startswith("cn-") else "amazonaws.com"
        return f"https://git-codecommit.{self.aws.region}.{domain}"

    def _remote(self, address: str, login: Git | Mirror) -> GitRemote:
        credentials = "a call without credentials" if login.token is None else f"the token in SSM {login.token}"
        return GitRemote(
            address, self.connections, self._authorization(login), credentials=credentials, until=self.until
        )

    def _authorization(self, login: Git | Mirror) -> Callable[[], str | None]:
        name = login.token
        if name is None:
            return lambda: None
        return lambda: _basic(login.username or TOKEN_USER, self.secrets.values((name,))[0])


def codecommit_login(address: str, region: str, credentials: ReadOnlyCredentials, now: datetime) -> tuple[str, str]:
    """The user name and password by which a repository of CodeCommit is used for a quarter of an hour."""
    parts = urlsplit(address)
    request = AWSRequest(method="GIT", url=address)
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%S")
    signer = SigV4Auth(credentials, "codecommit", region)
    canonical = f"GIT\n{parts.path}\n\nhost:{parts.netloc}\n\nhost\n"
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    # Tools quote the token only where they write it into an address, which git reads back.
    session = f"%{credentials.token}" if credentials.token else ""
    return f"{credentials.access_key}{session}", f"{request.context['timestamp']}Z{signature}"


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
