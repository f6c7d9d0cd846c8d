"""All faults of a routes file, from checks of plain values."""

from __future__ import annotations

from typing import Any

from amplify_jobs_cli.routes_file.allow_faults import allow_faults
from amplify_jobs_cli.routes_file.mirror_faults import mirror_faults
from amplify_jobs_cli.routes_file.model_faults import Scalar, parameter_faults, routes_faults
from amplify_jobs_cli.routes_file.name_faults import name_faults
from amplify_jobs_cli.routes_file.pattern_problems import pattern_problems
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.preview_faults import preview_faults
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.request_faults import operation_faults, placeholder_faults
from amplify_jobs_cli.routes_file.target_faults import target_faults
from amplify_jobs_cli.routes_file.wording import kind_of

_WORKFLOW = "this is a workflow of GitHub Actions, not a routes file; use sources: and routes:, as in docs/routes.md"


def find_faults(value: Any, stack: str, scalar: Scalar) -> list[Problem]:
    """Find every fault of an expanded file; of several checks that find one in the same value, the first counts.

    `scalar` gives a scalar as the file writes it, by its path.
    """
    if isinstance(value, dict) and "routes" not in value and value.keys() & {"on", "true", "jobs"}:
        key = next(key for key in ("on", "true", "jobs") if key in value)
        return [Problem((key,), _WORKFLOW, "key")]
    if not isinstance(value, dict):
        fault = "the file is empty" if value is None else f"the file holds {kind_of(value)}, not an object"
        return [Problem((), f"{fault}; use sources: and routes:, as in docs/routes.md", "key")]
    checks = (
        name_faults(value, stack),
        allow_faults(value),
        target_faults(value, stack),
        mirror_faults(value, stack),
        preview_faults(value, stack),
        pattern_problems(value, "fault"),
        routes_faults(value, scalar),
        parameter_faults(value, scalar),
        operation_faults(value),
        placeholder_faults(value),
    )
    paths: set[Path] = set()
    faults: list[Problem] = []
    for check in checks:
        new = [fault for fault in check if not _is_covered(fault.path, paths)]
        paths |= {fault.path for fault in new}
        faults += new
    return faults


def _is_covered(path: Path, paths: set[Path]) -> bool:
    """Whether there is a fault of the same value, of the list that has it as its first item, or of any part of all."""
    return path in paths or (path[-1:] == (0,) and path[:-1] in paths) or (path == () and bool(paths))
