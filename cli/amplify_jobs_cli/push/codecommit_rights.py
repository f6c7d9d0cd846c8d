"""What routes do in repositories of CodeCommit that no parameter of the stack names. Decisions without calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.routing.github_patterns import last_match, last_match_in_any_case
from amplify_jobs.routing.mirrors import plain_name
from amplify_jobs.routing.report_targets import CodeCommitComment
from amplify_jobs.routing.routes import Route, Routes
from amplify_jobs.settings import names_in


@dataclass(frozen=True)
class CodeCommitRights:
    """The repositories that parameters of the stack name; None where its outputs do not tell, or nothing uses them."""

    mirror: frozenset[str] | None
    comment: frozenset[str] | None
    reconcile: frozenset[str] | None

    @classmethod
    def of(cls, outputs: Mapping[str, str]) -> CodeCommitRights:
        """Read them from the stack's outputs. Stacks of earlier versions do not have all."""
        is_reconciling = outputs.get("reconcileMinutes", "0") != "0"
        return cls(
            mirror=_names(outputs.get("mirrorRepositories")),
            comment=_names(outputs.get("commentRepositories")),
            reconcile=_names(outputs.get("reconcileRepositories")) if is_reconciling else None,
        )


def missing_rights(routes: Routes, rights: CodeCommitRights) -> Iterator[tuple[str, str]]:
    """Mirrors that the stack may not write, and targets that can't comment: the place of each, and what to set."""
    if rights.mirror is not None:
        mirrors = (
            (f"routes.{name}", route.mirror.codecommit_name)
            for name, route in _enabled(routes)
            if route.mirror is not None and route.mirror.codecommit_name is not None
        )
        unnamed = [(place, name) for place, name in mirrors if name not in rights.mirror]
        fault = "the stack may not write {} of CodeCommit, so no commit is mirrored"
        yield from _warnings("MirrorRepositories", rights.mirror, unnamed, fault)
    if rights.comment is not None:
        names = rights.comment
        unnamed = [(place, pattern) for place, pattern in _comments(routes) if not _fits_any(pattern, names)]
        fault = "the stack may not comment in {} of CodeCommit, so such reports are dropped"
        yield from _warnings("CommentRepositories", names, unnamed, fault)


def unreconciled(routes: Routes, rights: CodeCommitRights) -> Iterator[tuple[str, str]]:
    """Routes whose lost events nothing makes up for, though reconcile is on: the place of each, and what to set."""
    if rights.reconcile is None:
        return
    unnamed = [
        (f"routes.{name}", push.repository)
        for name, route in _enabled(routes)
        if route.source == CODECOMMIT
        and (push := route.when.push) is not None
        and plain_name(push.repository) is not None
        and push.repository not in rights.reconcile
    ]
    fault = "reconcile does not look at {} of CodeCommit, so a push whose event is lost is not built"
    yield from _warnings("ReconcileRepositories", rights.reconcile, unnamed, fault)


def _comments(routes: Routes) -> Iterator[tuple[str, str]]:
    """Each target that comments in CodeCommit, with the names or patterns of repositories that it is for."""
    for name, target in routes.reports.items():
        if not isinstance(target, CodeCommitComment):
            continue
        only = target.when.routes
        patterns = {
            route.when.repository: None
            for route_name, route in _enabled(routes)
            if route.source == CODECOMMIT and (only is None or last_match(only, route_name) is not None)
        }
        # The app of a job that was only followed may be connected to any repository.
        patterns |= {"*": None} if routes.follow else {}
        yield from ((f"reports.{name}", pattern) for pattern in patterns if pattern is not None)


def _warnings(
    parameter: str, names: frozenset[str], unnamed: list[tuple[str, str]], fault: str
) -> Iterator[tuple[str, str]]:
    """What to say of repositories, or patterns of them, that a parameter does not name; `fault` has {} for each."""
    # One deployment mends all of them.
    value = ",".join(sorted(names | {pattern for _, pattern in unnamed if plain_name(pattern) is not None}))
    for place, pattern in unnamed:
        if plain_name(pattern) is not None:
            subject, advice = f"the repository {pattern}", f"the parameter {parameter}={value}"
        else:
            subject, advice = f"any repository {pattern}", f"their names in the parameter {parameter}"
        yield place, f"{fault.format(subject)}; deploy the stack with {advice}"


def _fits_any(pattern: str, names: frozenset[str]) -> bool:
    return any(last_match_in_any_case((pattern,), name) is not None for name in names)


def _enabled(routes: Routes) -> Iterator[tuple[str, Route]]:
    return ((name, route) for name, route in routes.routes.items() if route.enabled)


def _names(parameter: str | None) -> frozenset[str] | None:
    return None if parameter is None else frozenset(names_in(parameter))
