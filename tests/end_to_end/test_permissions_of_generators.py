"""The actions that collect what was generated are needed too; test_permissions.py has all others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.test_permissions import AFTER_GENERATING, SCHEMA
from tests.support.node import needs_node
from tests.support.permissions import granted, is_needed
from tests.support.team import Team


@pytest.fixture(scope="module")
def generated(team: Team) -> Team:
    """The team, once it has had models generated."""
    app_id = str(team.amplify.create_app(name="generated")["app"]["appId"])
    place = {"AppId": app_id, "BackendEnvironmentName": "dev", "ResourceName": "blog"}
    backend: Any = team.session.client("amplifybackend")
    backend.create_backend(AppId=app_id, AppName="generated", BackendEnvironmentName="dev")
    backend.create_backend_api(**place, ResourceConfig={"TransformSchema": SCHEMA})
    assert team.told(team.asks("generate_backend_api_models", place))["outcome"] == "SUCCEEDED"
    return team


@needs_node
@pytest.mark.parametrize(
    ("logical_id", "sid", "action"),
    [(logical_id, sid, action) for logical_id, sid, action in granted() if (sid, action) in AFTER_GENERATING],
)
def test_the_whole_path_fails_without_it(generated: Team, logical_id: str, sid: str, action: str) -> None:
    assert is_needed(generated, logical_id, sid, action)
