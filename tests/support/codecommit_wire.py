"""The local cloud's CodeCommit without a wire and without git: calls of reports are handed to it as they arrive."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from local.server.protocol.errors import ServiceError
from local.server.protocol.models import service_model
from local.server.protocol.validate import validate
from local.services.codecommit.comments import Comments
from local.services.codecommit.git import BareRepository
from local.services.codecommit.pull_requests import PullRequests
from local.services.codecommit.repositories import Place, Repositories, Repository
from local.services.codecommit.state_changes import Identity

ROLE = "arn:aws:sts::123456789012:assumed-role/send-report/send-report"
PERSON = "arn:aws:iam::123456789012:user/ada"
ARN = "arn:aws:codecommit:eu-west-1:123456789012:web"
FIRST = "1" * 40

Fault = Callable[[], Answer | None]
"""What happens to a call: an answer in place of the service's, or None where its answer is lost after it was done."""


def lost() -> Answer | None:
    return None


def answers(status: int, code: str, message: str = "No.") -> Fault:
    return lambda: Answer(status, body=json.dumps({"code": code, "message": message}).encode())


@dataclass
class History:
    """The commits of a repository, each with its parents, and its branches: what git would tell."""

    parents: dict[str, list[str]]
    branches: dict[str, str]

    def refs(self) -> dict[str, str]:
        return self.branches

    def default_branch(self) -> str:
        return "main"

    def commit(self, commit: str) -> Mapping[str, str] | None:
        if commit not in self.parents:
            return None
        user = {key: "0 +0000" for role in ("author", "committer") for key in (role, f"{role}Email", f"{role}Date")}
        return {"id": commit, "tree": "t", "parents": " ".join(self.parents[commit]), "message": "Change", **user}


@dataclass
class CodeCommitWire:
    """The way to the repository web. `faults` happen to the calls in turn; a call that none is left for is done."""

    history: History
    faults: list[Fault | None] = field(default_factory=list)
    calls: list[AwsCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        place = Place("123456789012", "eu-west-1", "http://127.0.0.1", Path("/nonexistent/codecommit"))
        self.repositories = Repositories(place, lambda _: None)
        now = datetime.now(UTC)
        result = Repository(Identity("web", "1", ARN), cast(BareRepository, self.history), now, now)
        self.repositories._repositories["web"] = result
        self.pull_requests = PullRequests(self.repositories)
        self.comments = Comments(self.repositories, self.pull_requests)

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def send(self, call: Call | AwsCall) -> Answer:
        """Make a call. Raises ServiceTrouble where its answer is lost."""
        assert isinstance(call, AwsCall)
        self.calls.append(call)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and (failure := fault()) is not None:
            return failure
        try:
            result = self.ask(call.operation, call.parameters, ROLE)
        except ServiceError as error:
            return Answer(400, body=json.dumps({"code": error.code, "message": error.message}).encode())
        if fault is not None:
            raise ServiceTrouble("codecommit: no answer")
        return Answer(200, body=json.dumps(result, default=str).encode())

    def ask(self, operation: str, parameters: Mapping[str, Any], caller: str = PERSON) -> dict[str, Any]:
        """Call an operation as somebody. Raises ServiceError."""
        validate(service_model("codecommit").operation_model(operation), parameters)
        operations = {
            **self.repositories.operations(caller),
            **self.pull_requests.operations(caller, lambda _: None),
            **self.comments.operations(caller),
        }
        return operations[operation](dict(parameters))

    def texts(self) -> list[str]:
        """The texts of all comments that were not deleted, oldest first."""
        return [one.content for one in self.comments._comments.values() if one.content is not None]
