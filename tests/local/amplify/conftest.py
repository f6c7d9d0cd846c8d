"""A local Amplify for each test that asks for one, closed at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.amplify.context import JobLimits
from local.codegen import Generator
from tests.support.amplify_world import World


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    items: list[World] = []

    def make(generator: Generator | None = None, **limits: Any) -> World:
        items.append(World(tmp_path, JobLimits(**limits), generator))
        return items[-1]

    yield make
    for world in items:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
