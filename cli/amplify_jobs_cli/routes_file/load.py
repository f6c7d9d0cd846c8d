"""Reading routes.yaml for the command line: all faults at once, each with its place and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from amplify_jobs.errors import InvalidRoutesError
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.expansion import Expansion, expand
from amplify_jobs_cli.routes_file.faults import At, faults_of
from amplify_jobs_cli.routes_file.masking import Masking
from amplify_jobs_cli.routes_file.warnings import warnings_of
from amplify_jobs_cli.routes_file.yaml_document import Document, Path, Position

_Placed = tuple[Position, Path, str]


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
    if not document.readable:
        return CheckedRoutes(None, _findings("fault", faults, document, masking), ())
    expansion = expand(document.value)
    written = ((document.origin(path), text) for path, text in expansion.faults)
    faults += [(document.place(path), path, text) for path, text in written]
    known = {path for _, path, _ in faults}
    found = faults_of(expansion.value, stack, lambda path: document.raw(_origin(path, expansion, document)))
    faults += [one for one in _placed(found, expansion, document) if one[1] not in known]
    # Whose events come is not known where the sources have faults.
    senders = all(path[:1] == ("routes",) for _, path, _ in faults)
    warned = warnings_of(expansion.value, now or datetime.now(UTC), senders=senders)
    warnings = _placed(warned, expansion, document)
    known = {path for _, path, _ in faults}
    return CheckedRoutes(
        None if faults else Routes.model_validate_json(json.dumps(expansion.value)),
        _findings("fault", faults, document, masking),
        _findings("warning", [one for one in warnings if one[1] not in known], document, masking),
    )


def read_routes(content: bytes, file: str, stack: str) -> Routes:
    """Read a routes file that has no faults.

    Raises InvalidRoutesError with a text for each fault, `routes.yaml:9:5: routes.web.timeoutMinutes: … ; use …`.
    """
    checked = check_routes(content, stack)
    if checked.routes is None:
        raise InvalidRoutesError([fault.text(file) for fault in checked.faults])
    return checked.routes


def _placed(found: Iterable[tuple[Path, str, At]], expansion: Expansion, document: Document) -> list[_Placed]:
    """Place what is found in the expanded routes where the file has its cause."""
    placed: list[_Placed] = []
    by_part: dict[At, list[tuple[Path, str]]] = {"key": [], "value": []}
    for path, text, at in found:
        by_part[at].append((path, text))
    for at, parts in by_part.items():
        origins = ((document.origin(path), text) for path, text in expansion.placed(parts))
        placed += [(document.place(path, at), path, text) for path, text in origins]
    return placed


def _origin(path: Path, expansion: Expansion, document: Document) -> Path:
    return document.origin(expansion.place(path))


def _findings(
    severity: Literal["fault", "warning"], found: Iterable[_Placed], document: Document, masking: Masking
) -> tuple[Finding, ...]:
    """One finding a place and message, in the order of the file."""
    findings: dict[tuple[Position, str], Finding] = {}
    for place, path, text in found:
        shown = ".".join(masking.text(str(part)) for part in _shown_path(path, document))
        finding = Finding(severity, place.line, place.column, shown, masking.text(text), masking.excerpt(place))
        findings.setdefault((place, finding.message), finding)
    return tuple(findings[key] for key in sorted(findings, key=lambda key: (key[0].line, key[0].column)))


def _shown_path(path: Path, document: Document) -> Path:
    """The path without the index of a text that stands for a list of one."""
    if path and isinstance(path[-1], int) and document.raw(path[:-1]) is not None:
        return path[:-1]
    return path
