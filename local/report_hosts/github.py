"""GitHub: statuses of commits, comments, deployments."""

from __future__ import annotations

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

DESCRIPTION_LIMIT = 140
CONTEXT_LIMIT = 255
COMMENT_LIMIT = 65_536
NOT_FOUND = HostAnswer(404, {"message": "Not Found"})
_REPOSITORY = r"/repos/([^/]+/[^/]+)"
_DEPLOYMENT_STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}


class GitHub:
    """One host; every repository is there."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._deployments: dict[int, dict[str, Any]] = {}
        self._statuses: dict[int, list[dict[str, Any]]] = {}
        self._rules = rules(
            ("POST", rf"{_REPOSITORY}/statuses/([0-9a-f]{{40}})", self._create_status),
            ("GET", rf"{_REPOSITORY}/issues/(\d+)/comments", self._list_comments),
            ("POST", rf"{_REPOSITORY}/issues/(\d+)/comments", self._create_comment),
            ("PATCH", rf"{_REPOSITORY}/issues/comments/(\d+)", self._change_comment),
            ("DELETE", rf"{_REPOSITORY}/issues/comments/(\d+)", self._delete_comment),
            ("GET", rf"{_REPOSITORY}/deployments", self._list_deployments),
            ("POST", rf"{_REPOSITORY}/deployments", self._create_deployment),
            ("GET", rf"{_REPOSITORY}/deployments/(\d+)/statuses", self._list_deployment_statuses),
            ("POST", rf"{_REPOSITORY}/deployments/(\d+)/statuses", self._create_deployment_status),
        )

    def answer(self, call: HostCall) -> HostAnswer:
        return refusal(call) or apply(self._rules, call, NOT_FOUND)

    def _create_status(self, call: HostCall, repository: str, commit: str) -> HostAnswer:
        if call.text("state") not in {"error", "failure", "pending", "success"}:
            return invalid("state")
        if len(call.text("description")) > DESCRIPTION_LIMIT:
            return invalid("description is too long (maximum is 140 characters)")
        if len(call.text("context")) > CONTEXT_LIMIT:
            return invalid("context is too long (maximum is 255 characters)")
        if commit == MADE_UP_COMMIT:
            return HostAnswer(422, {"message": f"No commit found for SHA: {commit}"})
        return HostAnswer(201, {"id": 1, "state": call.text("state"), "context": call.text("context") or "default"})

    # ------------------------------------------------------------ comments

    def _list_comments(self, call: HostCall, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return NOT_FOUND
        notes = self._notes.of(f"{repository}#{number}")
        shown, following = call.page(notes, "per_page", 30)
        more = {"link": f'<{call.address}{call.path}?page={following}>; rel="next"'} if following else {}
        return HostAnswer(200, [_comment(note) for note in shown], more)

    def _create_comment(self, call: HostCall, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return NOT_FOUND
        if (fault := _body_fault(call)) is not None:
            return fault
        return HostAnswer(201, _comment(self._notes.add(f"{repository}#{number}", call.caller, call.text("body"))))

    def _change_comment(self, call: HostCall, repository: str, identity: str) -> HostAnswer:
        note = self._notes.find_in_repository(identity, repository)
        if note is None:
            return NOT_FOUND
        if note.author != call.caller:
            return HostAnswer(403, {"message": "Resource not accessible by personal access token"})
        return _body_fault(call) or HostAnswer(200, _comment(self._notes.change(note, call.text("body"))))

    def _delete_comment(self, call: HostCall, repository: str, identity: str) -> HostAnswer:
        note = self._notes.find_in_repository(identity, repository)
        if note is None:
            return NOT_FOUND
        self._notes.delete(note)
        return HostAnswer(204)

    # ------------------------------------------------------------ deployments

    def _list_deployments(self, call: HostCall, repository: str) -> HostAnswer:
        members = ("environment", "sha", "ref", "task")
        deployments = [
            each
            for each in reversed(self._deployments.values())
            if each["repository"] == repository
            and all(call.query.get(name, each[name]) == each[name] for name in members)
        ]
        return HostAnswer(200, call.page(deployments, "per_page", 30)[0])

    def _create_deployment(self, call: HostCall, repository: str) -> HostAnswer:
        content = call.content
        if not call.text("ref"):
            return invalid("ref is missing")
        if call.text("ref") == MADE_UP_COMMIT:
            return HostAnswer(422, {"message": f"No ref found for: {call.text('ref')}"})
        if len(call.text("environment")) > CONTEXT_LIMIT:
            return invalid("environment is too long (maximum is 255 characters)")
        if len(call.text("description")) > DESCRIPTION_LIMIT:
            return invalid("description is too long (maximum is 140 characters)")
        if content.get("auto_merge", True) is not False:
            # The branch that is deployed may lie behind the default branch: GitHub then merges, and deploys nothing.
            return HostAnswer(202, {"message": "Auto-merged main into the branch on deployment."})
        if content.get("required_contexts") != []:
            return HostAnswer(409, {"message": "Conflict: Commit status checks failed for the branch."})
        identity = 5_000 + len(self._deployments) + 1
        self._deployments[identity] = {
            "id": identity,
            "repository": repository,
            "ref": call.text("ref"),
            "sha": call.text("ref"),
            "task": call.text("task") or "deploy",
            "environment": call.text("environment") or "production",
            "payload": content.get("payload") or {},
            "transient_environment": content.get("transient_environment", False),
            "production_environment": content.get(
                "production_environment", call.text("environment") in {"", "production"}
            ),
        }
        return HostAnswer(201, self._deployments[identity])

    def _list_deployment_statuses(self, call: HostCall, repository: str, identity: str) -> HostAnswer:
        return HostAnswer(200, list(reversed(self._statuses.get(int(identity), []))))

    def _create_deployment_status(self, call: HostCall, repository: str, identity: str) -> HostAnswer:
        deployment = self._deployments.get(int(identity))
        if deployment is None or deployment["repository"] != repository:
            return NOT_FOUND
        if call.text("state") not in _DEPLOYMENT_STATES:
            return invalid("state")
        if len(call.text("description")) > DESCRIPTION_LIMIT:
            return invalid("description is too long (maximum is 140 characters)")
        if call.text("state") == "success" and call.content.get("auto_inactive", True):
            self._make_inactive(deployment)
        status = {"id": 1, "state": call.text("state"), "environment_url": call.text("environment_url")}
        self._statuses.setdefault(deployment["id"], []).append(status)
        return HostAnswer(201, status)

    def _make_inactive(self, deployment: dict[str, Any]) -> None:
        """Earlier deployments of the environment that were active are so no more."""
        for each in self._deployments.values():
            statuses = self._statuses.get(each["id"], [])
            is_of_environment = all(each[name] == deployment[name] for name in ("repository", "environment"))
            is_kept = each["transient_environment"] or each["production_environment"] or each["id"] >= deployment["id"]
            if is_of_environment and not is_kept and statuses and statuses[-1]["state"] == "success":
                statuses.append({"id": 1, "state": "inactive", "environment_url": ""})


def refusal(call: HostCall) -> HostAnswer | None:
    """What GitHub answers to whoever does not say who calls."""
    if not call.headers.get("user-agent"):
        return HostAnswer(403, {"message": "Request forbidden by administrative rules."})
    return HostAnswer(401, {"message": "Requires authentication"}) if call.caller is None else None


def invalid(message: str) -> HostAnswer:
    """What GitHub answers to a member that is wrong."""
    return HostAnswer(422, {"message": f"Validation Failed: {message}"})


def _body_fault(call: HostCall) -> HostAnswer | None:
    if not call.text("body"):
        return invalid("body can't be blank")
    if len(call.text("body")) > COMMENT_LIMIT:
        return invalid("body is too long (maximum is 65536 characters)")
    return None


def _comment(note: Note) -> dict[str, Any]:
    return {"id": note.identity, "body": note.text, "user": {"login": note.author}}
