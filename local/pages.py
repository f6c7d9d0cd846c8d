"""The addresses that AWS does not have: /_local/… at the AWS endpoint, and the hosts of deployed sites."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from local.amplify import LocalAmplify
from local.console import LocalConsole
from local.permissions.authorization import Authorization
from local.report_targets import ReportTargets
from local.server.faults import Faults, InvalidFaultError
from local.server.protocol.errors import ServiceError
from local.services.functions.service import LambdaService

LOGS = "/_local/logs/functions/"


@dataclass(frozen=True)
class LocalPages:
    """Answers what is below /_local/: faults, permissions and logs here, the console and the rest by others."""

    faults: Faults
    authorization: Authorization
    functions: LambdaService
    amplify: LocalAmplify
    reports: ReportTargets
    console: LocalConsole

    def answer(self, request: Request) -> Response | None:
        """Answer an address below /_local/; None if nothing is there."""
        if request.path == "/_local/faults":
            return self._answer_faults(request)
        if request.path == "/_local/permissions" and request.method == "GET":
            return _json(self.authorization.report(), 200)
        if request.path.startswith(LOGS) and request.method == "GET":
            return self._function_log(request.path.removeprefix(LOGS))
        return self.reports.answer(request) or self.console.answer(request) or self.amplify.local(request)

    def takes_order(self, request: Request) -> bool:
        """Whether a page may send this request although it changes something: a button of the console."""
        return self.console.takes_order(request)

    def answer_site(self, request: Request) -> Response | None:
        """Answer an address on the host of a site; None if nothing is there."""
        return self.amplify.local(request)

    def _answer_faults(self, request: Request) -> Response:
        status = 200
        match request.method:
            case "POST":
                try:
                    self.faults.inject(json.loads(request.get_data()))
                except InvalidFaultError as error:
                    return _json({"message": str(error)}, 400)
                except ValueError as error:
                    return _json({"message": f"the fault is no JSON: {error}"}, 400)
                status = 201
            case "DELETE":
                self.faults.clear()
            case "GET":
                pass
            case _:
                return _json({"message": "faults know GET, POST and DELETE"}, 405)
        return _json({"faults": self.faults.open()}, status)

    def _function_log(self, name: str) -> Response:
        try:
            path = self.functions.log_file(name)
        except ServiceError as error:
            return _json({"message": f"{error.message}; there are {', '.join(self.functions.names())}"}, 404)
        text = path.read_bytes() if path.exists() else b""
        return Response(text, content_type="text/plain; charset=utf-8")


def _json(document: Mapping[str, Any], status: int) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
