"""Bitbucket Cloud: build statuses of commits, comments on pull requests."""

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

KEY_LIMIT = 40
NAME_LIMIT = 255
COMMENT_LIMIT = 32_768
_REPOSITORY = r"/repositories/([^/]+/[^/]+)"
_COMMENTS = rf"{_REPOSITORY}/pullrequests/(\d+)/comments"


class Bitbucket:
    """One host; every repository is there. Deleted comments are listed as such, as those with replies are."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._deleted: set[int] = set()
        self._rules = rules(
            ("POST", rf"{_REPOSITORY}/commit/([0-9a-f]{{40}})/statuses/build", self._create_status),
            ("GET", _COMMENTS, self._list_comments),
            ("POST", _COMMENTS, self._create_comment),
            ("PUT", rf"{_COMMENTS}/(\d+)", self._change_comment),
            ("DELETE", rf"{_COMMENTS}/(\d+)", self._delete_comment),
        )

    def answer(self, call: HostCall) -> HostAnswer:
        if call.caller is None:
            return failure(401, "Token is invalid, expired, or not supported for this endpoint.")
        return apply(self._rules, call, failure(404, "Resource not found"))

    def _create_status(self, call: HostCall, repository: str, commit: str) -> HostAnswer:
        if not 1 <= len(call.text("key")) <= KEY_LIMIT or not call.text("url").startswith(("http://", "https://")):
            return failure(400, "key: at most 40 characters, url: required")
        if call.text("state") not in {"INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"}:
            return failure(400, "state")
        if len(call.text("name")) > NAME_LIMIT:
            return failure(400, "name: at most 255 characters")
        if commit == MADE_UP_COMMIT:
            return failure(404, "Commit not found")
        return HostAnswer(201, {"key": call.text("key"), "state": call.text("state")})

    def _list_comments(self, call: HostCall, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return failure(404, "Pull request not found")
        notes = self._notes.of(f"{repository}#{number}")
        if call.query.get("sort") == "-created_on":
            notes.reverse()
        page, following = call.page(notes, "pagelen", 10)
        answer: dict[str, Any] = {"values": [self._comment(note) for note in page]}
        if following:
            answer["next"] = f"{call.address}{call.path}?page={following}"
        return HostAnswer(200, answer)

    def _create_comment(self, call: HostCall, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return failure(404, "Pull request not found")
        if (fault := _text_fault(call)) is not None:
            return fault
        note = self._notes.add(f"{repository}#{number}", call.caller, call.text("content", "raw"))
        return HostAnswer(201, self._comment(note))

    def _change_comment(self, call: HostCall, repository: str, number: str, identity: str) -> HostAnswer:
        note = self._notes.find(identity, f"{repository}#{number}")
        if note is None or note.identity in self._deleted:
            return failure(404, "Comment not found")
        if note.author != call.caller:
            return failure(403, "You can't edit this comment")
        return _text_fault(call) or HostAnswer(
            200, self._comment(self._notes.change(note, call.text("content", "raw")))
        )

    def _delete_comment(self, call: HostCall, repository: str, number: str, identity: str) -> HostAnswer:
        note = self._notes.find(identity, f"{repository}#{number}")
        if note is None:
            return failure(404, "Comment not found")
        self._deleted.add(note.identity)
        return HostAnswer(204)

    def _comment(self, note: Note) -> dict[str, Any]:
        is_deleted = note.identity in self._deleted
        return {"id": note.identity, "content": {"raw": note.text}, "deleted": is_deleted}


def failure(status: int, message: str) -> HostAnswer:
    """What Bitbucket Cloud answers to a call that it refuses."""
    return HostAnswer(status, {"type": "error", "error": {"message": message}})


def _text_fault(call: HostCall) -> HostAnswer | None:
    if not 1 <= len(call.text("content", "raw")) <= COMMENT_LIMIT:
        return failure(400, "content.raw: required, at most 32768 characters")
    return None
