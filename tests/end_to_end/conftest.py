"""The real template, state machine and runtime client on the local cloud, and a team that uses them.

A cloud costs 10 s of CPU until each of its functions has run. Modules with the marker `shared_cloud` follow one another
on one cloud, with apps, pushes and routes of their own; each other module has a cloud to itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.team import Team

HERE = Path(__file__).parent


class SharedTeam:
    """The team of the modules that share a cloud; its cloud starts when the first of them needs it."""

    def __init__(self) -> None:
        self._exits = ExitStack()
        self._team: Team | None = None

    def begin(self, folder: Path) -> Team:
        """The team, as it begins in a new module: without routes, with a new folder for its repositories."""
        if self._team is None:
            self._team = self._exits.enter_context(Team.at_work(folder))
        else:
            self._team.begin_anew(folder)
        return self._team

    def close(self) -> None:
        self._team = None
        self._exits.close()


SHARED = SharedTeam()


@pytest.fixture(scope="module")
def team(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("end-to-end")
    if request.node.get_closest_marker("shared_cloud"):
        yield SHARED.begin(folder)
        return
    with Team.at_work(folder) as working:
        yield working


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "team" in request.fixturenames:
        request.getfixturevalue("team").clear_faults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # One after the other, so that the cloud need not end between them.
    items.sort(key=lambda item: item.get_closest_marker("shared_cloud") is None)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    # Its environment must not stay for a module that has another cloud, or none.
    if nextitem is None or not nextitem.path.is_relative_to(HERE) or not nextitem.get_closest_marker("shared_cloud"):
        SHARED.close()
