"""A repository in the local cloud's CodeCommit, with a work tree from which git pushes as anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

from amplify_jobs.aws.git_remotes import codecommit_login
from tests.support.git_server import git
from tests.support.team import Team


@dataclass(frozen=True)
class CodeCommitRepository:
    """One of them; each push makes a commit of its own."""

    team: Team
    name: str
    tree: Path

    @classmethod
    def create(cls, team: Team, name: str, folder: Path, branch: str = "main") -> CodeCommitRepository:
        """Make it, with a first commit on a branch."""
        repository = cls(team, name, folder / name)
        repository.api.create_repository(repositoryName=name)
        repository.tree.mkdir(parents=True)
        git(repository.tree, "init", "--quiet", f"--initial-branch={branch}")
        repository.push(branch)
        return repository

    @property
    def api(self) -> Any:
        return self.team.session.client("codecommit")

    def push(self, branch: str, message: str = "Change") -> str:
        """Commit to a branch, which begins at the commit before, push it, and give the commit."""
        git(self.tree, "checkout", "--quiet", "-B", branch)
        git(self.tree, "commit", "--quiet", "--allow-empty", f"--message={message}")
        git(self.tree, "push", "--quiet", self._address(), f"HEAD:refs/heads/{branch}")
        return git(self.tree, "rev-parse", "HEAD")

    def open_pull_request(self, source: str, title: str) -> str:
        """Ask to merge a branch into main, and give the id."""
        target = {"repositoryName": self.name, "sourceReference": source, "destinationReference": "main"}
        repository = self.api.create_pull_request(title=title, targets=[target])
        return str(repository["pullRequest"]["pullRequestId"])

    def comments_on(self, commit: str) -> list[str]:
        """The comments on a commit, as anybody reads them."""
        answer = self.api.get_comments_for_compared_commit(repositoryName=self.name, afterCommitId=commit)
        return _texts(answer["commentsForComparedCommitData"])

    def comments_on_pull_request(self, identity: str) -> list[str]:
        answer = self.api.get_comments_for_pull_request(pullRequestId=identity)
        return _texts(answer["commentsForPullRequestData"])

    def _address(self) -> str:
        plain = f"{self.team.cloud.endpoint_url}/v1/repos/{self.name}"
        credentials = ReadOnlyCredentials("local", "local", None)
        user, password = codecommit_login(plain, self.team.cloud.region, credentials, datetime.now(UTC))
        return plain.replace("://", f"://{quote(user, safe='')}:{quote(password, safe='')}@")


def _texts(groups: Any) -> list[str]:
    return [one["content"] for group in groups for one in group["comments"] if not one["deleted"]]
