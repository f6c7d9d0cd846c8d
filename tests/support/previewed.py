"""An app with a mirror whose pull requests have previews, at any git host that Amplify can't reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from demo.repository import SITE
from tests.support.git_histories import History, refs_of
from tests.support.git_hosts import BEGIN, REPOSITORIES, Operation
from tests.support.git_server import git
from tests.support.pull_deliveries import APPROVALS, delivery
from tests.support.recorded_webhooks import parse, secret_of, signed
from tests.support.team import SECRET_NAME, Team

MAIN = "refs/heads/main"


@dataclass
class PreviewedMirror:
    """One of them. Events are `seconds` after `begin`."""

    team: Team
    provider: str
    name: str
    app_id: str
    source: History
    mirror: Path
    begin: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=1))
    serial: int = 0

    @classmethod
    def made(cls, team: Team, provider: str, name: str | None = None, **preview: Any) -> PreviewedMirror:
        """Make both repositories with a page on main, the app, and the route of the pull requests."""
        name = name or provider
        server = team.git_server
        source = History(server.repository(f"acme/{name}", "uploadpack.allowReachableSHA1InWant=true"))
        mirror = server.repository(f"mirrors/{name}")
        app_id = str(team.amplify.create_app(name=name, repository=str(mirror))["app"]["appId"])
        made = cls(team, provider, name, app_id, source, mirror)
        made.commit("begin", MAIN)
        git(source.path, "push", "--quiet", str(mirror), MAIN)
        secret = f"/amplify-jobs/secrets/{name}"
        value = secret_of(provider, name)
        team.session.client("ssm").put_parameter(Name=secret, Type="SecureString", Value=value, Overwrite=True)
        access = {"url": server.address(f"acme/{name}"), "token": SECRET_NAME}
        team.sources[name] = {"provider": provider, "secrets": [secret], "git": access}
        parameters = {"appId": app_id, "branchName": "pr-{pullRequest.number}", "jobType": "RELEASE"}
        team.add_routes(
            {
                name: {
                    "source": name,
                    "when": {
                        "pull_request": {"repository": REPOSITORIES.get(provider, "acme/web"), "targets": ["main"]}
                    },
                    "request": {"operation": "start_job", "parameters": parameters},
                    "mirror": {"to": server.address(f"mirrors/{name}"), "token": SECRET_NAME},
                    "preview": {"approval": APPROVALS[provider], **preview},
                }
            }
        )
        return made

    def commit(self, word: str, *refs: str, build: Sequence[str] = ()) -> str:
        """Commit a page with a word, and let refs of the source lead to it; `build` has commands of its build."""
        files = {path.name: path.read_bytes() for path in SITE.iterdir()} | {"index.html": f"<p>{word}</p>".encode()}
        if build:
            artifacts = {"baseDirectory": ".", "files": ["index.html"]}
            phases = {"build": {"commands": [*build]}}
            spec = {"version": 1, "frontend": {"phases": phases, "artifacts": artifacts}}
            files["amplify.yml"] = yaml.safe_dump(spec).encode()
        parents = (len(self.source.commits),) if self.source.commits else ()
        number = self.source.commit(parents, files, word)
        for ref in refs:
            self.source.set(ref, number)
        return self.source.commits[number]

    def pull_ref(self, number: int) -> str:
        """The full ref by which the host keeps the head of a pull request."""
        attempt = delivery(self.provider, self.operation("opened", "a" * 40, number), is_fork=True)
        (event,) = parse(self.provider, attempt.headers, attempt.content).events
        assert event.ref is not None
        return event.ref

    def operation(self, deed: str, head: str, number: int, before: str | None = None) -> Operation:
        """A deed that is newer than the one made before."""
        self.serial += 1
        seconds = int((self.begin - BEGIN).total_seconds()) + self.serial
        return Operation(deed, self.serial, seconds, before=before, after=head, number=number, merge=self.serial)

    def send(self, operation: Operation, *, is_fork: bool = False) -> dict[str, Any]:
        """Deliver a deed, and give the answer; one for which AWS was late is delivered again."""
        attempt = delivery(self.provider, operation, is_fork=is_fork)

        def answer() -> dict[str, Any] | None:
            secret = secret_of(self.provider, self.name)
            proof = signed(self.provider, secret, attempt.content, now=datetime.now(UTC))
            headers = {"Content-Type": "application/json", **attempt.headers, **proof}
            url = f"{self.team.cloud.api_url}/webhooks/{self.name}"
            status, given = self.team.post(url, headers, attempt.content)
            assert status in {200, 202}, given
            return None if given["deferred"] else given

        return self.team.until(answer, f"{operation.deed} stayed in the queue")

    def asks(self, operation: Operation, *, is_fork: bool = False) -> str:
        """Deliver a deed of which a request comes, and give its id."""
        answer = self.send(operation, is_fork=is_fork)
        (request,) = answer["requests"]
        return str(request["requestId"])

    def did(self, deed: str, head: str, number: int, *, before: str | None = None, is_fork: bool = False) -> str:
        """Do something of which a request comes, and give its id."""
        return self.asks(self.operation(deed, head, number, before), is_fork=is_fork)

    def built(self, request_id: str, commit: str) -> dict[str, Any]:
        """The end of a build of a commit."""
        finished = self.team.told(request_id)
        assert finished["outcome"] == "SUCCEEDED", finished["reason"]
        assert finished["commitBuilt"] == commit
        return finished

    @property
    def branches(self) -> dict[str, Any]:
        """The branches of the app, by their names."""
        listed = self.team.amplify.list_branches(appId=self.app_id, maxResults=50)["branches"]
        return {branch["branchName"]: branch for branch in listed}

    @property
    def mirrored(self) -> dict[str, str]:
        """The branches of the mirror beside main, by their names, with their commits."""
        refs = refs_of(self.mirror)
        return {ref.removeprefix("refs/heads/"): commit for ref, commit in refs.items() if ref != MAIN}

    def removed(self, request_id: str) -> None:
        """See a removal end, and that it left nothing."""
        assert self.team.ended(request_id) == "SUCCEEDED"
        assert (self.branches, self.mirrored) == ({}, {})


def sweep(team: Team) -> dict[str, Any]:
    """Run the sweep now."""
    name = team.cloud.physical_id("SweepPreviewsFunction")
    answer = team.session.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    given: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, given
    return given
