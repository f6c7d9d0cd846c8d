"""Apps of the team that show pull requests as previews, and what GitHub delivers of one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.git_server import git
from tests.support.team import Team

LOGIN_NAME, LOGIN = "/amplify-jobs/secrets/preview-login", "ada:lovelace"
HEAD = "feedfacefeedfacefeedfacefeedfacefeedface"
_BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class PreviewedApp:
    """An app that is connected to a repository with the branch `page`, from which pull request 7 comes."""

    team: Team
    name: str
    app_id: str

    @classmethod
    def made(cls, team: Team, name: str, build: list[str] | None = None, **preview: Any) -> PreviewedApp:
        """Make the app, and a route for pull requests of acme/<name>."""
        app_id = team.app(name, build)
        repository = team.amplify.get_app(appId=app_id)["app"]["repository"]
        git(Path(repository), "branch", "page", "main")
        team.session.client("ssm").put_parameter(Name=LOGIN_NAME, Type="SecureString", Value=LOGIN, Overwrite=True)
        parameters = {"appId": app_id, "branchName": "{pullRequest.source}", "jobType": "RELEASE"}
        when = {"pull_request": {"repository": f"acme/{name}", "targets": ["main"]}}
        request = {"operation": "start_job", "parameters": parameters}
        team.route(name, app_id, source="github", when=when, request=request, preview=preview)
        return cls(team, name, app_id)

    def delivery(self, action: str, minute: int) -> bytes:
        """The body of GitHub's delivery of an action, so many minutes after the first one could be."""
        pull_request = {
            "title": "A page",
            "state": "closed" if action == "closed" else "open",
            "updated_at": (_BEGIN + timedelta(minutes=minute)).isoformat(),
            "user": {"login": "ada"},
            "head": {"label": "page", "ref": "page", "sha": HEAD, "repo": {"full_name": f"acme/{self.name}"}},
            "base": {"ref": "main", "repo": {"full_name": f"acme/{self.name}"}},
        }
        repository = {"full_name": f"acme/{self.name}", "html_url": f"https://github.example/acme/{self.name}"}
        content = {"action": action, "number": 7, "pull_request": pull_request, "repository": repository}
        return json.dumps(content).encode()

    def asks(self, action: str, minute: int) -> str:
        """Deliver an action, and give the id of its request; a repeat of what AWS was late for gives the same one."""
        body = self.delivery(action, minute)

        def find() -> str | None:
            status, answer = self.team.deliver(body, event="pull_request")
            assert status == 202, answer
            return str(answer["requests"][0]["requestId"]) if answer["requests"] else None

        return self.team.until(find, f"{action} stayed in the queue")

    @property
    def branches(self) -> dict[str, Any]:
        """The branches of the app, by their names."""
        listed = self.team.amplify.list_branches(appId=self.app_id, maxResults=50)["branches"]
        return {branch["branchName"]: branch for branch in listed}
