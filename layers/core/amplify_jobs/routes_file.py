"""Reading routes.yaml for the command line: all faults at once, each with its place and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from amplify_jobs.errors import InvalidRoutes
from amplify_jobs.routes import Routes
from amplify_jobs.routes_file_faults import faults_of
from amplify_jobs.routes_file_masking import Masking
from amplify_jobs.routes_file_warnings import warnings_of
from amplify_jobs.yaml_document import Document, Path, Place


@dataclass(frozen=True)
class Finding:
    """A fault or warning: what is wrong where, and what to write instead; `excerpt` shows the line and the place."""

    severity: Literal["fault", "warning"]
    line: int
    column: int
    path: str
    message: str
    excerpt: tuple[str, str]

    def text(self, file: str) -> str:
        """One line for people, and below it the line of the file with the place marked."""
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
            "faults": [finding.as_json() for finding in self.faults],
            "warnings": [finding.as_json() for finding in self.warnings],
        }


def check_routes(content: bytes, stack: str, now: datetime | None = None) -> CheckedRoutes:
    """Read and check a routes file; the functions of the stack read only secrets under `/<stack>/secrets/`."""
    document = Document(content)
    masking = Masking(document)
    faults = [(fault.place, fault.path, fault.message) for fault in document.faults]
    warnings: list[tuple[Place, Path, str]] = []
    if document.readable:
        faults += [(document.place(path, at), path, text) for path, text, at in faults_of(document, stack)]
        found = warnings_of(document.value, now or datetime.now(UTC))
        warnings = [(document.place(path), path, text) for path, text in found]
    routes = None if faults else _routes(document.value)
    return CheckedRoutes(
        routes,
        _findings("fault", faults, document, masking),
        _findings("warning", warnings, document, masking, except_at={path for _, path, _ in faults}),
    )


def read_routes(content: bytes, file: str, stack: str) -> Routes:
    """Read a routes file that has no faults.

    Raises InvalidRoutes with a text for each fault, `routes.yaml:9:5: routes.web.timeoutMinutes: … ; use …`.
    """
    checked = check_routes(content, stack)
    if checked.routes is None:
        raise InvalidRoutes([fault.text(file) for fault in checked.faults])
    return checked.routes


def _routes(value: Any) -> Routes:
    return Routes.model_validate_json(json.dumps(value))


def _findings(
    severity: Literal["fault", "warning"],
    found: Iterable[tuple[Place, Path, str]],
    document: Document,
    masking: Masking,
    except_at: Iterable[Path] = (),
) -> tuple[Finding, ...]:
    """One finding a place and message, in the order of the file."""
    findings: dict[tuple[Place, str], Finding] = {}
    for place, path, text in found:
        if path in except_at:
            continue
        shown = ".".join(masking.text(str(part)) for part in _shown_path(path, document))
        finding = Finding(severity, place.line, place.column, shown, masking.text(text), masking.excerpt(place))
        findings.setdefault((place, finding.message), finding)
    return tuple(findings[key] for key in sorted(findings, key=lambda key: (key[0].line, key[0].column)))


def _shown_path(path: Path, document: Document) -> Path:
    """The path without the index of a text that stands for a list of one."""
    if path and isinstance(path[-1], int) and document.raw(path[:-1]) is not None:
        return path[:-1]
    return path
