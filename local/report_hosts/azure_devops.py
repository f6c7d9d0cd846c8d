"""Azure DevOps: statuses of commits and pull requests, threads of comments."""

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

COMMENT_LIMIT = 150_000
_REPOSITORY = r"/(.+)/_apis/git/repositories/([^/]+)"
_PULL_REQUEST = rf"{_REPOSITORY}/pullRequests/(\d+)"
_STATES = {"notSet", "notApplicable", "pending", "succeeded", "failed", "error"}


class AzureDevOps:
    """One organization; every project and repository is there. Who has no token is sent to the page to sign in."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._rules = rules(
            ("POST", rf"{_REPOSITORY}/commits/([0-9a-f]{{40}})/statuses", self._create_status),
            ("POST", rf"{_PULL_REQUEST}/statuses", self._create_pull_request_status),
            ("GET", rf"{_PULL_REQUEST}/threads", self._list_threads),
            ("POST", rf"{_PULL_REQUEST}/threads", self._create_thread),
            ("PATCH", rf"{_PULL_REQUEST}/threads/(\d+)/comments/(\d+)", self._change_comment),
            ("DELETE", rf"{_PULL_REQUEST}/threads/(\d+)/comments/(\d+)", self._delete_comment),
        )

    def answer(self, call: HostCall) -> HostAnswer:
        if call.caller is None:
            return HostAnswer(203, "<!DOCTYPE html><html><title>Azure DevOps Services | Sign In</title></html>")
        if not call.query.get("api-version"):
            return _failure(400, "No api-version was supplied for the request.")
        return apply(self._rules, call, _failure(404, "The resource cannot be found."))

    def _create_status(self, call: HostCall, project: str, repository: str, commit: str) -> HostAnswer:
        if call.text("state") not in _STATES or not call.text("context", "name"):
            return _failure(400, "state, context.name: required")
        if commit == MADE_UP_COMMIT:
            return _failure(404, "TF401175: The version descriptor could not be resolved.")
        return HostAnswer(201, {"id": 1, "state": call.text("state")})

    def _create_pull_request_status(self, call: HostCall, project: str, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return _missing(number)
        if call.text("state") not in _STATES or not call.text("context", "name"):
            return _failure(400, "state, context.name: required")
        return HostAnswer(200, {"id": 1, "state": call.text("state")})

    def _list_threads(self, call: HostCall, project: str, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return _missing(number)
        threads = [_thread(note) for note in self._notes.of(f"{project}/{repository}!{number}")]
        return HostAnswer(200, {"value": threads, "count": len(threads)})

    def _create_thread(self, call: HostCall, project: str, repository: str, number: str) -> HostAnswer:
        if number == MISSING_PULL_REQUEST:
            return _missing(number)
        comments = call.content.get("comments")
        text = comments[0].get("content") if isinstance(comments, list) and comments else None
        if not isinstance(text, str) or not 1 <= len(text) <= COMMENT_LIMIT:
            return _failure(400, "comments: content is required, at most 150000 characters")
        return HostAnswer(200, _thread(self._notes.add(f"{project}/{repository}!{number}", call.caller, text)))

    def _change_comment(self, call: HostCall, *names: str) -> HostAnswer:
        note = self._note(*names)
        if note is None:
            return _failure(404, "The comment thread or the comment does not exist.")
        if note.author != call.caller:
            return _failure(403, "You are not the author of the comment.")
        if not 1 <= len(call.text("content")) <= COMMENT_LIMIT:
            return _failure(400, "content: required, at most 150000 characters")
        return HostAnswer(200, _thread(self._notes.change(note, call.text("content")))["comments"][0])

    def _delete_comment(self, call: HostCall, *names: str) -> HostAnswer:
        note = self._note(*names)
        if note is None:
            return _failure(404, "The comment thread or the comment does not exist.")
        self._notes.delete(note)
        return HostAnswer(200)

    def _note(self, *names: str) -> Note | None:
        project, repository, number, thread, comment = names
        return self._notes.find(thread, f"{project}/{repository}!{number}") if comment == "1" else None


def _failure(status: int, message: str) -> HostAnswer:
    return HostAnswer(status, {"message": message})


def _missing(number: str) -> HostAnswer:
    return _failure(404, f"TF401180: The requested pull request was not found: {number}.")


def _thread(note: Note) -> dict[str, Any]:
    return {"id": note.identity, "status": "closed", "comments": [{"id": 1, "content": note.text}]}
