"""What the documentation shows of routes is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from amplify_jobs.events import EventKind
from amplify_jobs.routes import Route, Source
from amplify_jobs.routes_file import read_routes
from amplify_jobs.values import values_of
from amplify_jobs.webhooks import PROVIDERS

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    pytest.param(file.name, example, id=f"{file.name}-{number}")
    for file in (DOCS / "routes.md", DOCS / "git-hosts.md")
    for number, example in enumerate(re.findall(r"```yaml\n(.*?)```", file.read_text(), re.DOTALL))
]


@pytest.mark.parametrize(("file", "example"), EXAMPLES)
def test_every_example_passes_the_check(file: str, example: str) -> None:
    assert read_routes(example.encode(), file, "amplify-jobs").routes


def test_every_member_of_a_route_and_a_source_is_explained() -> None:
    text = (DOCS / "routes.md").read_text()
    members = [field.alias for model in (Route, Source) for field in model.model_fields.values()]
    assert [name for name in members if f"`{name}`" not in text and f"`{name}." not in text] == []


def test_every_value_is_listed() -> None:
    text = (DOCS / "routes.md").read_text()
    assert [value for value in values_of(tuple(EventKind)) if f"`{value}`" not in text] == []


def test_every_provider_is_listed() -> None:
    texts = [(DOCS / name).read_text() for name in ("routes.md", "git-hosts.md")]
    assert [name for name in PROVIDERS if not all(f"`{name}`" in text for text in texts)] == []
