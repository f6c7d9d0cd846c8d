"""A local Amplify for each test that asks for one, closed at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.amplify.jobs import SITE_BYTES
from local.codegen import Generator
from tests.support.amplify_world import World


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(minute: float = 60, generator: Generator | None = None, site_bytes: int = SITE_BYTES) -> World:
        made.append(World(tmp_path, minute, generator, site_bytes))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
