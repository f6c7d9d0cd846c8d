"""Writes the JSON Schemas of announcements and routes.yaml, and the OpenAPI document of the API, from the models."""

import json
from pathlib import Path
from typing import Any, cast

from amplify_jobs.announcing.announcement import DETAILS, EVENT_SOURCE, DetailType
from amplify_jobs.steering.service import JobsApi
from amplify_jobs.steering.web import build_app
from tools.routes_schema import routes_schema

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"
OPENAPI_PATH = FOLDER.parent / "openapi.json"
ROUTES_PATH = FOLDER / "routes.json"


def schema(detail_type: DetailType) -> dict[str, Any]:
    """The schema of the `detail` of one kind of event; required is what events of every version have."""
    schema: dict[str, Any] = untitled(DETAILS[detail_type].model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": detail_type.value,
        "$comment": f"The detail of events with source {EVENT_SOURCE} and detail-type {detail_type.value}.",
        **schema,
    }


def untitled(part: Any) -> Any:
    """Leave out the titles that pydantic makes of members' names; a member may itself be called title."""
    if isinstance(part, list):
        return [untitled(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {name: untitled(value) for name, value in part.items() if name != "title" or not isinstance(value, str)}


def path(detail_type: DetailType) -> Path:
    return FOLDER / f"{detail_type.value.lower().replace(' ', '-')}.json"


def text(detail_type: DetailType) -> str:
    return _text(schema(detail_type))


def routes_text() -> str:
    """The text of docs/schemas/routes.json."""
    return _text(routes_schema())


def openapi_text() -> str:
    """The text of docs/openapi.json: what the jobs API takes and answers."""
    app = build_app(cast(JobsApi, None))
    schema = json.loads(
        app.get_openapi_json_schema(
            title="amplify-jobs", version="1", description="The jobs API. Calls have AWS's signature (execute-api)."
        )
    )
    del schema["servers"]
    return _text(schema)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for detail_type in DetailType:
        path(detail_type).write_text(text(detail_type), encoding="utf-8")
        print(path(detail_type).relative_to(FOLDER.parent.parent))
    OPENAPI_PATH.write_text(openapi_text(), encoding="utf-8")
    print(OPENAPI_PATH.relative_to(FOLDER.parent.parent))
    ROUTES_PATH.write_text(routes_text(), encoding="utf-8")
    print(ROUTES_PATH.relative_to(FOLDER.parent.parent))


if __name__ == "__main__":
    main()
