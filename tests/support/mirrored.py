"""Apps of the team whose code lies on a git server that Amplify can't reach, and in a mirror that it can."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.repository import SITE
from tests.support.git_histories import History, refs_of
from tests.support.git_server import git
from tests.support.team import SECRET_NAME, Team

MAIN = "refs/heads/main"


@dataclass
class MirroredApp:
    """One of them, of the repository acme/<name>."""

    team: Team
    name: str
    source: History
    mirror: str

    @classmethod
    def made(cls, team: Team, name: str, **route: Any) -> MirroredApp:
        """Make both repositories with one commit, the app and the route."""
        server = team.git_server
        app = cls(team, name, cls._source(team, name), str(server.repository(f"mirrors/{name}")))
        app.commit("begin")
        git(app.source.path, "push", "--quiet", app.mirror, MAIN)
        app._connect({"to": server.address(f"mirrors/{name}"), "token": SECRET_NAME}, **route)
        return app

    @classmethod
    def made_in_codecommit(cls, team: Team, name: str, **route: Any) -> MirroredApp:
        """Make a source with one commit, a mirror in CodeCommit without any, the app and the route."""
        team.session.client("codecommit").create_repository(repositoryName=name)
        mirror = f"https://git-codecommit.{team.cloud.region}.amazonaws.com/v1/repos/{name}"
        app = cls(team, name, cls._source(team, name), mirror)
        app.commit("begin")
        app._connect({"to": f"codecommit::{name}"}, **route)
        return app

    @staticmethod
    def _source(team: Team, name: str) -> History:
        return History(team.git_server.repository(f"acme/{name}", "uploadpack.allowReachableSHA1InWant=true"))

    def _connect(self, mirror: dict[str, str], **route: Any) -> None:
        """Let Amplify build from the mirror, and pushes start its builds."""
        amplify = self.team.amplify
        app_id = str(amplify.create_app(name=self.name, repository=self.mirror)["app"]["appId"])
        amplify.create_branch(appId=app_id, branchName="main")
        self.team.route(self.name, app_id, source="github", mirror=mirror, **route)

    def commit(self, word: str, **more: bytes) -> str:
        """Commit a page with a word to main of the source, and more files."""
        files = {path.name: path.read_bytes() for path in SITE.iterdir()} | {
            "index.html": f"<p>{word}</p>".encode(),
            **more,
        }
        parents = (len(self.source.commits),) if self.source.commits else ()
        return self.source.set(MAIN, self.source.commit(parents, files, word))

    def push(self, commit: str, *, seconds_ago: int = 1_000) -> bytes:
        """The body of a delivery for a push of a commit; of two made in a row, the second is the newer."""
        head: dict[str, Any] = {
            "id": commit,
            "message": "Change",
            "timestamp": "2026-11-22T12:00:00+01:00",
            "author": {"name": "Ada"},
        }
        repository = {
            "full_name": f"acme/{self.name}",
            "pushed_at": int(time.time()) - seconds_ago + len(self.source.commits),
        }
        before = git(self.source.path, "rev-parse", f"{commit}^")
        head["modified"] = ["index.html"]
        return self.team.push(self.name, before=before, after=commit, head_commit=head, repository=repository)

    def build_two_in_a_row(self) -> tuple[list[str], list[str]]:
        """Push twice and see each push become a build of exactly its commit; the commits and the requests."""
        team = self.team
        commits = [self.commit("first"), self.commit("second")]
        first = team.accepted(self.push(commits[0]))
        # If the newer one came first, the older one would have to give way.
        team.told(first, "Job Started")
        requests = [first, team.accepted(self.push(commits[1]))]
        for commit, request_id in zip(commits, requests, strict=True):
            finished = team.told(request_id)
            assert finished["outcome"] == "SUCCEEDED", finished["reason"]
            assert finished["commitBuilt"] == commit
        assert b"second" in team.shown(finished)
        return commits, requests

    @property
    def mirror_refs(self) -> dict[str, str]:
        return refs_of(Path(self.mirror))

    def commit_in_codecommit(self) -> str:
        """The commit of the mirror's main."""
        codecommit = self.team.session.client("codecommit")
        return str(codecommit.get_branch(repositoryName=self.name, branchName="main")["branch"]["commitId"])
