"""Walks a state machine's definition on a simulated clock, and counts its state transitions.

It knows what statemachine/job.asl.json is made of and refuses anything else by name, so that a changed definition
changes the figures or stops them. Source: the Amazon States Language, https://states-language.net/spec.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Far beyond any simulated job: a definition that goes in circles is told, not walked for ever.
MOST_TRANSITIONS = 100_000


class NotSimulatedError(Exception):
    """The definition has something that the simulation does not know."""


class TaskError(Exception):
    """A task failed with an error that the definition may catch by `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Clock:
    """Seconds since the execution's start."""

    now: float = 0.0


@dataclass(frozen=True)
class Call:
    """What a task is called with: its Resource, its Parameters filled in, and its time limit in seconds."""

    resource: str
    parameters: Mapping[str, Any]
    timeout_seconds: float | None


@dataclass(frozen=True)
class Visit:
    """A state that was entered, and when."""

    state: str
    at: float


@dataclass
class Walk:
    """What an execution did, state by state; one visit is one state transition."""

    visits: list[Visit] = field(default_factory=list)

    def count(self, state: str) -> int:
        return sum(visit.state == state for visit in self.visits)

    def first(self, state: str) -> float:
        """When the state was first entered; raises StopIteration if it never was."""
        return next(visit.at for visit in self.visits if visit.state == state)


def walk(
    definition: Mapping[str, Any], data: Any, context: Mapping[str, Any], task: Callable[[Call], Any], clock: Clock
) -> Walk:
    """Run an execution to its end.

    `task` answers a task's call, moving the clock by what it takes, or raises TaskError. Raises NotSimulatedError for
    what the simulation does not know, a failure that no state catches and a Fail state among it.
    """
    trip = Walk()
    name: str | None = definition["StartAt"]
    while name is not None:
        trip.visits.append(Visit(name, clock.now))
        if len(trip.visits) > MOST_TRANSITIONS:
            raise NotSimulatedError(f"{name}: still not at the end after {MOST_TRANSITIONS} transitions")
        state = definition["States"][name]
        match state["Type"]:
            case "Task":
                name, data = _task(name, state, data, context, task)
            case "Choice":
                name = _choice(name, state, data)
            case "Succeed":
                name = None
            case other:
                raise NotSimulatedError(f"{name}: states of type {other} are not simulated")
    return trip


def _task(
    name: str, state: Mapping[str, Any], data: Any, context: Mapping[str, Any], task: Callable[[Call], Any]
) -> tuple[str | None, Any]:
    fields = {"Type", "Comment", "Resource", "Parameters", "ResultSelector", "ResultPath", "TimeoutSeconds"}
    fields |= {"TimeoutSecondsPath", "Retry", "Catch", "Next", "End"}
    if unknown := sorted(state.keys() - fields):
        raise NotSimulatedError(f"{name}: {unknown[0]} is not simulated")
    limit = state.get("TimeoutSeconds")
    if path := state.get("TimeoutSecondsPath"):
        limit = look_up(path, data, context)
    parameters = fill_in(state["Parameters"], data, context)
    try:
        result = task(Call(state["Resource"], parameters, limit))
    except TaskError as error:
        _check_not_retried(name, state, error)
        catcher = _catcher(state.get("Catch", ()), error)
        if catcher is None:
            raise NotSimulatedError(f"{name}: {error.name} is not caught") from error
        return catcher["Next"], put(data, catcher.get("ResultPath", "$"), {"Error": error.name, "Cause": ""})
    if selector := state.get("ResultSelector"):
        result = fill_in(selector, result, context)
    data = put(data, state.get("ResultPath", "$"), result)
    return (None if state.get("End") else state["Next"]), data


def _check_not_retried(name: str, state: Mapping[str, Any], error: TaskError) -> None:
    retrier = next((retrier for retrier in state.get("Retry", ()) if _matches(retrier, error)), None)
    if retrier is not None and retrier.get("MaxAttempts", 3) > 0:
        raise NotSimulatedError(f"{name}: {error.name} would be retried; retries are not simulated")


def _catcher(catchers: Any, error: TaskError) -> Mapping[str, Any] | None:
    return next((catcher for catcher in catchers if _matches(catcher, error)), None)


def _matches(rule: Mapping[str, Any], error: TaskError) -> bool:
    return error.name in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]


def _choice(name: str, state: Mapping[str, Any], data: Any) -> str:
    for rule in state["Choices"]:
        if all(_holds(name, part, data) for part in rule.get("And", [rule])):
            return str(rule["Next"])
    return str(state["Default"])


def _holds(name: str, rule: Mapping[str, Any], data: Any) -> bool:
    match {key: value for key, value in rule.items() if key not in {"Variable", "Next"}}:
        case {"BooleanEquals": truth}:
            return look_up(rule["Variable"], data, {}) is truth
        case {"StringEquals": text}:
            return bool(look_up(rule["Variable"], data, {}) == text)
        case {"IsPresent": truth} if rule["Variable"].count(".") == 1:
            return (rule["Variable"].removeprefix("$.") in data) is truth
        case {"IsNull": truth}:
            return (look_up(rule["Variable"], data, {}) is None) is truth
    raise NotSimulatedError(f"{name}: only BooleanEquals, StringEquals, IsNull and IsPresent of a member are simulated")


def look_up(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    """Follow a reference path ($.a.b into the input, $$.a.b into the context object)."""
    value = context if path.startswith("$$") else data
    for member in path.lstrip("$").split(".")[1:]:
        value = value[member]
    return value


def fill_in(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    """Fill in a payload template: members whose names end in .$ hold paths."""
    if not isinstance(template, Mapping):
        return template
    return {
        name.removesuffix(".$"): look_up(value, data, context) if name.endswith(".$") else fill_in(value, data, context)
        for name, value in template.items()
    }


def put(data: Any, path: str | None, result: Any) -> Any:
    """Put a result where a ResultPath says: null drops it, $ replaces the input, $.name adds a member."""
    if path is None:
        return data
    if path == "$":
        return result
    member = path.removeprefix("$.")
    if not member.isidentifier():
        raise NotSimulatedError(f"ResultPath {path} is not simulated")
    return {**data, member: result}
