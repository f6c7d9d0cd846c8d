"""GitLab: statuses of commits, notes of merge requests, deployments and environments."""

from __future__ import annotations

import re
from typing import Any

from local.report_hosts.calls import (
    MADE_UP_COMMIT,
    MISSING_PULL_REQUEST,
    HostAnswer,
    HostCall,
    Note,
    Notes,
    apply,
    rules,
)

TEXT_LIMIT = 255
COMMENT_LIMIT = 1_000_000
_PROJECT = r"/projects/([^/]+)"
_ENVIRONMENT_NAME = re.compile(r"[a-zA-Z0-9_\-${}. ][a-zA-Z0-9_\-${}. /]{0,254}(?<!/)")
_EVENTS = {"pending": "enqueue", "running": "run", "success": "succeed", "failed": "drop", "canceled": "cancel"}


class GitLab:
    """One host; every project is there."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._states: dict[str, str] = {}
        self._deployments: dict[int, dict[str, Any]] = {}
        self._environments: dict[int, dict[str, Any]] = {}
        self._rules = rules(
            ("POST", rf"{_PROJECT}/statuses/([0-9a-f]{{40}})", self._create_status),
            ("GET", rf"{_PROJECT}/merge_requests/(\d+)/notes", self._list_notes),
            ("POST", rf"{_PROJECT}/merge_requests/(\d+)/notes", self._create_note),
            ("PUT", rf"{_PROJECT}/merge_requests/(\d+)/notes/(\d+)", self._change_note),
            ("DELETE", rf"{_PROJECT}/merge_requests/(\d+)/notes/(\d+)", self._delete_note),
            ("GET", rf"{_PROJECT}/deployments", self._list_deployments),
            ("POST", rf"{_PROJECT}/deployments", self._create_deployment),
            ("PUT", rf"{_PROJECT}/deployments/(\d+)", self._change_deployment),
            ("GET", rf"{_PROJECT}/environments", self._list_environments),
            ("PUT", rf"{_PROJECT}/environments/(\d+)", self._change_environment),
        )

    def answer(self, call: HostCall) -> HostAnswer:
        if call.caller is None:
            return HostAnswer(401, {"message": "401 Unauthorized"})
        return apply(self._rules, call, HostAnswer(404, {"error": "404 Not Found"}))

    def _create_status(self, call: HostCall, project: str, commit: str) -> HostAnswer:
        state = call.text("state")
        if state not in {*_EVENTS, "skipped"}:
            return HostAnswer(400, {"error": "state does not have a valid value"})
        if any(len(call.text(name)) > TEXT_LIMIT for name in ("name", "context", "description", "target_url", "ref")):
            return HostAnswer(400, {"message": "is too long (maximum is 255 characters)"})
        subject = f"{project} {commit} {call.text('name')}"
        if self._states.get(subject) == state and state in {"pending", "running"}:
            return HostAnswer(400, {"message": f"Cannot transition status via :{_EVENTS[state]} from :{state}"})
        if commit == MADE_UP_COMMIT:
            return HostAnswer(404, {"message": "404 Commit Not Found"})
        self._states[subject] = state
        return HostAnswer(201, {"id": 1, "status": state, "pipeline_id": 4711})

    # ------------------------------------------------------------ notes

    def _list_notes(self, call: HostCall, project: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return HostAnswer(404, {"message": "404 Not found"})
        notes = self._notes.of(f"{project}!{number}")
        if call.query.get("sort", "desc") == "desc":
            notes.reverse()
        shown, following = call.page(notes, "per_page", 20)
        return HostAnswer(200, [_note(note) for note in shown], {"x-next-page": str(following or "")})

    def _create_note(self, call: HostCall, project: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return HostAnswer(404, {"message": "404 Not found"})
        if (fault := _body_fault(call)) is not None:
            return fault
        return HostAnswer(201, _note(self._notes.add(f"{project}!{number}", call.caller, call.text("body"))))

    def _change_note(self, call: HostCall, project: str, number: str, identity: str) -> HostAnswer:
        note = self._notes.find(identity, f"{project}!{number}")
        if note is None:
            return HostAnswer(404, {"message": "404 Note Not Found"})
        if note.author != call.caller:
            return HostAnswer(403, {"message": "403 Forbidden"})
        return _body_fault(call) or HostAnswer(200, _note(self._notes.change(note, call.text("body"))))

    def _delete_note(self, call: HostCall, project: str, number: str, identity: str) -> HostAnswer:
        note = self._notes.find(identity, f"{project}!{number}")
        if note is None:
            return HostAnswer(404, {"message": "404 Note Not Found"})
        self._notes.delete(note)
        return HostAnswer(204)

    # ------------------------------------------------------------ deployments

    def _list_deployments(self, call: HostCall, project: str) -> HostAnswer:
        query = call.query
        deployments = [
            deployment
            for deployment in self._deployments.values()
            if deployment["project"] == project
            and query.get("environment", deployment["environment"]["name"]) == deployment["environment"]["name"]
            and query.get("status", deployment["status"]) == deployment["status"]
        ]
        if query.get("sort", "asc") == "desc":
            deployments.reverse()
        return HostAnswer(200, call.page(deployments, "per_page", 20)[0])

    def _create_deployment(self, call: HostCall, project: str) -> HostAnswer:
        missing = [name for name in ("environment", "sha", "ref", "tag", "status") if name not in call.content]
        if missing:
            return HostAnswer(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
        if call.text("status") not in {"running", "success", "failed", "canceled"}:
            return HostAnswer(400, {"error": "status does not have a valid value"})
        if not _ENVIRONMENT_NAME.fullmatch(call.text("environment")):
            return HostAnswer(400, {"message": {"name": ["can contain only letters, digits, '-', '_', '/', '$', …"]}})
        if call.text("sha") == MADE_UP_COMMIT:
            return HostAnswer(400, {"message": {"sha": ["The commit does not exist"]}})
        identity = 7_000 + len(self._deployments) + 1
        self._deployments[identity] = {
            "id": identity,
            "project": project,
            "sha": call.text("sha"),
            "ref": call.text("ref"),
            "status": call.text("status"),
            "environment": self._environment(project, call.text("environment")),
        }
        return HostAnswer(201, self._deployments[identity])

    def _change_deployment(self, call: HostCall, project: str, identity: str) -> HostAnswer:
        deployment, status = self._deployments.get(int(identity)), call.text("status")
        if deployment is None or deployment["project"] != project:
            return HostAnswer(404, {"message": "404 Not found"})
        if status not in {"running", "success", "failed", "canceled"}:
            return HostAnswer(400, {"error": "status does not have a valid value"})
        if deployment["status"] == status or status == "running":
            before = deployment["status"]
            return HostAnswer(400, {"message": f"Cannot transition status via :{_EVENTS[status]} from :{before}"})
        deployment["status"] = status
        return HostAnswer(200, deployment)

    def _environment(self, project: str, name: str) -> dict[str, Any]:
        for environment in self._environments.values():
            if (environment["project"], environment["name"]) == (project, name):
                return environment
        identity = 9_000 + len(self._environments) + 1
        self._environments[identity] = {"id": identity, "project": project, "name": name, "external_url": None}
        return self._environments[identity]

    def _list_environments(self, call: HostCall, project: str) -> HostAnswer:
        return HostAnswer(
            200, [environment for environment in self._environments.values() if environment["project"] == project]
        )

    def _change_environment(self, call: HostCall, project: str, identity: str) -> HostAnswer:
        environment = self._environments.get(int(identity))
        if environment is None or environment["project"] != project:
            return HostAnswer(404, {"message": "404 Not found"})
        address = call.text("external_url")
        if len(address) > TEXT_LIMIT or not address.startswith(("http://", "https://")):
            return HostAnswer(400, {"message": {"external_url": ["is not a usable address"]}})
        environment["external_url"] = address
        return HostAnswer(200, environment)


def _body_fault(call: HostCall) -> HostAnswer | None:
    if not call.text("body"):
        return HostAnswer(400, {"message": '400 Bad request - Note {:note=>["can\'t be blank"]}'})
    if len(call.text("body")) > COMMENT_LIMIT:
        return HostAnswer(400, {"message": "Note is too long (maximum is 1000000 characters)"})
    return None


def _note(note: Note) -> dict[str, Any]:
    return {"id": note.identity, "body": note.text, "system": False, "author": {"username": note.author}}
