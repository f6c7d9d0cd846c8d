"""The real template, state machine and runtime client on the local cloud, and a team that uses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.team import Team


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with Team.at_work(tmp_path_factory.mktemp("end-to-end")) as working:
        yield working


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "team" in request.fixturenames:
        request.getfixturevalue("team").clear_faults()
