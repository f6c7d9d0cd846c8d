"""What the documentation shows of routes is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from amplify_jobs.events.event import EventKind
from amplify_jobs.events.identity import TABLE, Header, Member, Row
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.events.webhooks.capabilities import HOSTS
from amplify_jobs.routing.placeholders import values_of
from amplify_jobs.routing.routes import Route, Source
from amplify_jobs_cli.routes_file.load import read_routes

DOCS = Path(__file__).parents[3] / "docs"
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


def evidence(source: Member | Header) -> str:
    if isinstance(source, Header):
        return "header " + ", else ".join(f"`{name}`" for name in source.names)
    return f"`{source.path}`" + (f" where `message.text` has “{source.words}”" if source.words else "")


def line(row: Row) -> str:
    """A row of the table of what makes an event new, as docs/git-hosts.md has it."""
    hosts = ", ".join(HOSTS[provider] for provider in row.providers)
    kinds = ", ".join(kind.replace("_", " ") for kind in row.kinds if not kind.startswith("ref_"))
    actions = " or ".join(row.actions)
    choices = [" and ".join(evidence(source) for source in choice) for choice in row.choices]
    told_by = "; else ".join(choices + (["nothing: each delivery is new"] if row.else_delivery else []))
    everywhere = set(row.providers) == set(HOSTS)
    return f"| {'every host' if everywhere else hosts} | {f'{kinds} {actions}'.strip()} | {told_by or '-'} |"


def test_what_makes_an_event_new_is_listed() -> None:
    text = (DOCS / "git-hosts.md").read_text()
    _, _, rest = text.partition("## What makes an event new\n")
    section, _, _ = rest.partition("\n## ")
    rows = [found for found in section.splitlines() if found.startswith("| ")]
    assert rows[2:] == [line(row) for row in TABLE]
