"""Reads routes.yaml for the command line: all faults at once, each with its position and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from amplify_jobs.errors import InvalidRoutesError
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.empty_members import empty_members
from amplify_jobs_cli.routes_file.expansion import Expansion, expand
from amplify_jobs_cli.routes_file.faults import find_faults
from amplify_jobs_cli.routes_file.masking import Masking
from amplify_jobs_cli.routes_file.places import Path, Position
from amplify_jobs_cli.routes_file.problems import At, Problem
from amplify_jobs_cli.routes_file.warnings import find_warnings
from amplify_jobs_cli.routes_file.yaml_document import Document, Fault


@dataclass(frozen=True)
class Finding:
    """A fault or warning: what is wrong where, and what to write instead; `excerpt` is the line, with a mark below."""

    severity: Literal["fault", "warning"]
    line: int
    column: int
    path: str
    message: str
    excerpt: tuple[str, str]

    def text(self, file: str) -> str:
        """One line for people, and below it the line of the file with the position marked."""
        warning = "warning" if self.severity == "warning" else ""
        headline = ": ".join(filter(None, (f"{file}:{self.line}:{self.column}", warning, self.path, self.message)))
        return "\n    ".join((headline, *(self.excerpt if self.excerpt[0].strip() else ())))

    def as_json(self) -> dict[str, Any]:
        """The members of `routes check --json`."""
        return {
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "message": self.message,
            "excerpt": self.excerpt[0],
        }


@dataclass(frozen=True)
class CheckedRoutes:
    """What a routes file holds: the routes, unless it has faults."""

    routes: Routes | None
    faults: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The members of `routes check --json`."""
        return {
            "valid": self.routes is not None,
            "sources": len(self.routes.sources) if self.routes else None,
            "routes": len(self.routes.routes) if self.routes else None,
            "targets": len(self.routes.reports) if self.routes else None,
            "faults": [finding.as_json() for finding in self.faults],
            "warnings": [finding.as_json() for finding in self.warnings],
        }


def check_routes(content: bytes, stack: str, now: datetime | None = None) -> CheckedRoutes:
    """Read and check a routes file; the functions of the stack read only secrets under `/<stack>/secrets/`."""
    document = Document(content)
    masking = Masking(document)
    faults = list(document.faults)
    if not document.readable:
        return CheckedRoutes(None, _findings("fault", faults, document, masking), ())
    expansion = expand(document.value)
    for path, message in expansion.faults:
        origin = document.origin(path)
        faults.append(Fault(document.position(origin), origin, message))
    paths = {fault.path for fault in faults}

    def scalar(path: Path) -> str | None:
        return document.scalar(document.origin(expansion.place(path)))

    problems = find_faults(expansion.value, stack, scalar)
    faults += [fault for fault in _located(problems, expansion, document) if fault.path not in paths]
    # Whose events come is not known where the sources have faults.
    senders = all(fault.path[:1] == ("routes",) for fault in faults)
    problems = [
        *empty_members(expansion.value, scalar),
        *find_warnings(expansion.value, now or datetime.now(UTC), senders=senders),
    ]
    paths = {fault.path for fault in faults}
    warnings = [warning for warning in _located(problems, expansion, document) if warning.path not in paths]
    return CheckedRoutes(
        None if faults else Routes.model_validate_json(json.dumps(expansion.value)),
        _findings("fault", faults, document, masking),
        _findings("warning", warnings, document, masking),
    )


def read_routes(content: bytes, file: str, stack: str) -> Routes:
    """Read a routes file that has no faults.

    Raises InvalidRoutesError with a text for each fault, `routes.yaml:9:5: routes.web.timeoutMinutes: … ; use …`.
    """
    checked = check_routes(content, stack)
    if checked.routes is None:
        raise InvalidRoutesError([fault.text(file) for fault in checked.faults])
    return checked.routes


def _located(problems: Iterable[Problem], expansion: Expansion, document: Document) -> list[Fault]:
    """Locate problems of the expanded routes where the file has their cause."""
    located: list[Fault] = []
    by_part: dict[At, list[tuple[Path, str]]] = {"key": [], "value": []}
    for path, message, at in problems:
        by_part[at].append((path, message))
    for at, parts in by_part.items():
        for path, message in expansion.placed(parts):
            origin = document.origin(path)
            located.append(Fault(document.position(origin, at), origin, message))
    return located


def _findings(
    severity: Literal["fault", "warning"], faults: Iterable[Fault], document: Document, masking: Masking
) -> tuple[Finding, ...]:
    """One finding a position and message, in the order of the file."""
    findings: dict[tuple[Position, str], Finding] = {}
    for fault in faults:
        position = fault.position
        path = ".".join(masking.text(str(part)) for part in _shown_path(fault.path, document))
        message = masking.text(fault.message)
        finding = Finding(severity, position.line, position.column, path, message, masking.excerpt(position))
        findings.setdefault((position, message), finding)
    return tuple(findings[key] for key in sorted(findings, key=lambda key: (key[0].line, key[0].column)))


def _shown_path(path: Path, document: Document) -> Path:
    """The path without the index of a text that stands for a list of one."""
    if path and isinstance(path[-1], int) and document.scalar(path[:-1]) is not None:
        return path[:-1]
    return path
