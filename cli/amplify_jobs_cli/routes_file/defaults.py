"""`defaults` of a routes file: what a route has that does not say it itself."""

from __future__ import annotations

from collections.abc import Iterable

from amplify_jobs.routing.conditions import When
from amplify_jobs_cli.routes_file.matrix import MATRIX
from amplify_jobs_cli.routes_file.nodes import FaultList, Node, content_member, members_of
from amplify_jobs_cli.suggestions import one_of

DEFAULTS = "defaults"


def check_defaults(defaults: Node, routes: Iterable[Node], faults: FaultList) -> None:
    """Find what no route takes over, in which no check would find a fault."""
    if not isinstance(defaults.content, dict):
        faults.add(defaults.place, "must be a map; use members of a route, like {supersede: true}")
        return
    if MATRIX in defaults.content:
        message = (
            "a matrix belongs to a route; for several with one matrix write `matrix: &apps …` in the first "
            "and `matrix: *apps` in the others"
        )
        faults.add((DEFAULTS, MATRIX), message)
    for name, right in (("when", "an event, like {push: {repository: acme/web}}"), ("request", "a request")):
        node = defaults.member(name)
        if node is not None and not isinstance(node.content, dict):
            faults.add(node.place, f"must be a map; use {right}")
    routes = [route for route in routes if isinstance(route.content, dict)]
    conditions = [content_member(route, "when") for route in routes]
    for kind, node in members_of(defaults.member("when")).items():
        if kind not in When.model_fields:
            faults.add(node.place, f"unknown event {kind}; {one_of(kind, list(When.model_fields))}")
        elif all(when is not None and kind not in members_of(when) for when in conditions):
            faults.add(node.place, f"no route waits for {kind}; leave it out")
    operation = members_of(defaults.member("request")).get("operation")
    if operation is not None and not any(_has_operation(route, operation) for route in routes):
        faults.add(operation.place, f"no route asks for {operation.content}; leave it out")


def with_defaults(route: Node, defaults: Node) -> Node:
    """The route with what it does not say itself: of `when` its own events, of `request` the same operation."""
    if not isinstance(route.content, dict) or not isinstance(defaults.content, dict):
        return route
    base = {name: node for name, node in defaults.content.items() if name != MATRIX}
    when, operation = content_member(route, "when"), members_of(base.get("request")).get("operation")
    if when is not None:
        kinds = members_of(base.get("when"))
        base["when"] = Node({kind: kinds[kind] for kind in members_of(when) if kind in kinds}, (DEFAULTS, "when"))
    if operation is not None and not _has_operation(route, operation):
        del base["request"]
    return _merge(route, Node(base, defaults.place))


def _merge(own: Node, base: Node) -> Node:
    """Maps are merged member by member; anything else is the route's own."""
    if not isinstance(base.content, dict) or not isinstance(own.content, dict | None):
        return own
    members: dict[str, Node] = dict(own.content or {})
    for name, node in base.content.items():
        members[name] = _merge(members[name], node) if name in members else node
    return Node(members, own.place)


def _has_operation(route: Node, operation: Node) -> bool:
    """Whether a route has this operation, or none that differs."""
    own = content_member(content_member(route, "request") or Node({}, ()), "operation")
    return own is None or own.content == operation.content
