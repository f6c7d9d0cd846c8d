"""The real template, state machine and runtime client on the local cloud, and a team that uses them.

tests/support/clouds.py says which modules share a cloud; each other module has one to itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.clouds import cloud_of, place_of
from tests.support.team import Team


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


def module(node: pytest.Item | pytest.Module) -> str:
    """The path of a test's module from the folder of the project."""
    return node.nodeid.partition("::")[0]


def cloud(node: pytest.Item | pytest.Module) -> str | None:
    return cloud_of(module(node))


@pytest.fixture(scope="module")
def team(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("end-to-end")
    if cloud(request.node) is not None:
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
    items.sort(key=lambda item: place_of(module(item)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    # Its environment must not stay for a module that has another cloud, or none.
    if nextitem is None or cloud(nextitem) != cloud(item):
        SHARED.close()
