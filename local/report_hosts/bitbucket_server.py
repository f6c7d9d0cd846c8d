"""Bitbucket Data Center: builds of commits, comments on pull requests with their versions."""

from __future__ import annotations

from typing import Any

from local.report_hosts.calls import MISSING_PULL_REQUEST, HostAnswer, HostCall, Note, Notes, apply, rules

LIMIT = 255
COMMENT_LIMIT = 32_768
_REPOSITORY = r"/rest/api/latest/projects/([^/]+)/repos/([^/]+)"
_PULL_REQUEST = rf"{_REPOSITORY}/pull-requests/(\d+)"


class BitbucketServer:
    """One server; every repository is there, and every commit: a build of one that is not there is accepted too."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._rules = rules(
            ("POST", rf"{_REPOSITORY}/commits/([0-9a-f]{{40}})/builds", self._create_build),
            ("GET", rf"{_PULL_REQUEST}/activities", self._list_activities),
            ("POST", rf"{_PULL_REQUEST}/comments", self._create_comment),
            ("GET", rf"{_PULL_REQUEST}/comments/(\d+)", self._get_comment),
            ("PUT", rf"{_PULL_REQUEST}/comments/(\d+)", self._change_comment),
            ("DELETE", rf"{_PULL_REQUEST}/comments/(\d+)", self._delete_comment),
        )

    def answer(self, call: HostCall) -> HostAnswer:
        if call.caller is None:
            return _failure(401, "Authentication failed.")
        return apply(self._rules, call, _failure(404, "There is no such resource."))

    def _create_build(self, call: HostCall, project: str, slug: str, commit: str) -> HostAnswer:
        if not 1 <= len(call.text("key")) <= LIMIT or not call.text("url").startswith(("http://", "https://")):
            return _failure(400, "key: required, at most 255 characters; url: required")
        if call.text("state") not in {"INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED", "UNKNOWN"}:
            return _failure(400, "state")
        if len(call.text("name")) > LIMIT or len(call.text("description")) > LIMIT:
            return _failure(400, "name, description: at most 255 characters")
        return HostAnswer(204)

    def _list_activities(self, call: HostCall, project: str, slug: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return _failure(404, "There is no such pull request.")
        notes = list(reversed(self._notes.of(f"{project}/{slug}#{number}")))
        start, limit = call.number("start", 0), call.number("limit", 25)
        shown = [{"action": "COMMENTED", "comment": _comment(note)} for note in notes[start : start + limit]]
        return HostAnswer(
            200, {"values": [*shown, {"action": "OPENED"}], "isLastPage": len(notes) <= start + limit, "start": start}
        )

    def _create_comment(self, call: HostCall, project: str, slug: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return _failure(404, "There is no such pull request.")
        if (fault := _text_fault(call)) is not None:
            return fault
        return HostAnswer(201, _comment(self._notes.add(f"{project}/{slug}#{number}", call.caller, call.text("text"))))

    def _get_comment(self, call: HostCall, project: str, slug: str, number: str, identity: str) -> HostAnswer:
        note = self._notes.find(identity, f"{project}/{slug}#{number}")
        return HostAnswer(200, _comment(note)) if note else _failure(404, "There is no such comment.")

    def _change_comment(self, call: HostCall, project: str, slug: str, number: str, identity: str) -> HostAnswer:
        note = self._notes.find(identity, f"{project}/{slug}#{number}")
        if note is None:
            return _failure(404, "There is no such comment.")
        if note.author != call.caller:
            return _failure(403, "You may not edit this comment.")
        if call.content.get("version") != note.version:
            return _failure(409, "You are attempting to modify a comment based on out-of-date information.")
        return _text_fault(call) or HostAnswer(200, _comment(self._notes.change(note, call.text("text"))))

    def _delete_comment(self, call: HostCall, project: str, slug: str, number: str, identity: str) -> HostAnswer:
        note = self._notes.find(identity, f"{project}/{slug}#{number}")
        if note is None:
            return _failure(404, "There is no such comment.")
        if call.query.get("version") != str(note.version):
            return _failure(409, "You are attempting to delete a comment based on out-of-date information.")
        self._notes.delete(note)
        return HostAnswer(204)


def _failure(status: int, message: str) -> HostAnswer:
    return HostAnswer(status, {"errors": [{"context": None, "message": message}]})


def _text_fault(call: HostCall) -> HostAnswer | None:
    if not 1 <= len(call.text("text")) <= COMMENT_LIMIT:
        return _failure(400, "text: required, at most 32768 characters")
    return None


def _comment(note: Note) -> dict[str, Any]:
    return {"id": note.identity, "version": note.version, "text": note.text}
