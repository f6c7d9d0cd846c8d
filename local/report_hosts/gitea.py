"""Gitea and Forgejo: statuses of commits, comments."""

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

_REPOSITORY = r"/repos/([^/]+/[^/]+)"


class Gitea:
    """One host; every repository is there."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._rules = rules(
            ("POST", rf"{_REPOSITORY}/statuses/([0-9a-f]{{40}})", self._create_status),
            ("GET", rf"{_REPOSITORY}/issues/(\d+)/comments", self._list_comments),
            ("POST", rf"{_REPOSITORY}/issues/(\d+)/comments", self._create_comment),
            ("PATCH", rf"{_REPOSITORY}/issues/comments/(\d+)", self._change_comment),
            ("DELETE", rf"{_REPOSITORY}/issues/comments/(\d+)", self._delete_comment),
        )

    def answer(self, call: HostCall) -> HostAnswer:
        if call.caller is None:
            return HostAnswer(401, {"message": "token is required"})
        return apply(self._rules, call, _missing())

    def _create_status(self, call: HostCall, repository: str, commit: str) -> HostAnswer:
        if call.text("state") not in {"pending", "success", "error", "failure", "warning"}:
            return HostAnswer(422, {"message": "[State]: invalid"})
        if commit == MADE_UP_COMMIT:
            return HostAnswer(404, {"message": f"object does not exist [id: {commit}, rel_path: ]"})
        return HostAnswer(201, {"id": 1, "status": call.text("state"), "context": call.text("context")})

    def _list_comments(self, call: HostCall, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return _missing()
        return HostAnswer(200, [_comment(note) for note in self._notes.of(f"{repository}#{number}")])

    def _create_comment(self, call: HostCall, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return _missing()
        if not call.text("body"):
            return HostAnswer(422, {"message": "[Body]: Required"})
        return HostAnswer(201, _comment(self._notes.add(f"{repository}#{number}", call.caller, call.text("body"))))

    def _change_comment(self, call: HostCall, repository: str, identity: str) -> HostAnswer:
        note = self._notes.find_in_repository(identity, repository)
        if note is None:
            return _missing()
        if note.author != call.caller:
            return HostAnswer(403)
        if not call.text("body"):
            return HostAnswer(422, {"message": "[Body]: Required"})
        return HostAnswer(200, _comment(self._notes.change(note, call.text("body"))))

    def _delete_comment(self, call: HostCall, repository: str, identity: str) -> HostAnswer:
        note = self._notes.find_in_repository(identity, repository)
        if note is None:
            return _missing()
        self._notes.delete(note)
        return HostAnswer(204)


def _missing() -> HostAnswer:
    return HostAnswer(404, {"message": "The target couldn't be found.", "errors": []})


def _comment(note: Note) -> dict[str, Any]:
    return {"id": note.identity, "body": note.text, "user": {"login": note.author}}
