"""Faults of previews: routes that can have none, and logins that can't be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from amplify_jobs.routing.previews import preview_problem
from amplify_jobs.routing.routes import Route, Source
from amplify_jobs_cli.routes_file.name_faults import secret_problem
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.values import member, members

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def preview_faults(value: Any, stack: str) -> Iterator[Problem]:
    """Find what is wrong with `preview` of routes, beyond what its model refuses."""
    sources = {name: model for name, raw in members(value, "sources") if (model := _model(Source, raw)) is not None}
    for name, raw in members(value, "routes"):
        login = member(member(raw, "preview"), "basicAuth")
        if isinstance(login, str) and login:
            path, right = ("routes", name, "preview", "basicAuth"), f"/{stack}/secrets/preview-{name}"
            problem = secret_problem(path, login, stack, right, "user:password")
            if problem is not None:
                yield problem
        # Other checks tell what is wrong with a route that is none.
        route = _model(Route, raw)
        if route is not None and (place_and_message := preview_problem(route, sources)) is not None:
            place, message = place_and_message
            yield Problem(("routes", name, *place), message, "key" if place == ("preview",) else "value")


def _model(model: type[AnyModel], raw: Any) -> AnyModel | None:
    try:
        return model.model_validate_json(json.dumps(raw), strict=True, by_alias=True, by_name=False)
    except ValidationError:
        return None
