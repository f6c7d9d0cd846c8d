"""The documentation is right: its links, its examples of routes, and the tables that it shares with the code."""

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

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "events" / "README.md"]
EXAMPLES = [
    pytest.param(file.name, example, id=f"{file.name}-{number}")
    for file in (DOCS / "routes.md", DOCS / "git-hosts.md")
    for number, example in enumerate(re.findall(r"```yaml\n(.*?)```", file.read_text(), re.DOTALL))
]


def without_code(page: Path) -> str:
    """The page without its fenced code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """The links of a page to files or headings that do not exist."""
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page)) if "://" not in link]
    broken = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_the_readme_names_every_page() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / "README.md").read_text())
    assert {page.relative_to(ROOT).as_posix() for page in PAGES} - {"README.md"} <= set(links)


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_make_command_has_its_target(page: Path) -> None:
    code = re.findall(r"`([^`\n]+)`|^    ([^#\n]+)", page.read_text(), re.MULTILINE)
    calls = [call for pair in code for call in re.findall(r"(?:^|\s)make((?: [\w.-]+(?![\w=\"/]))+)", "".join(pair))]
    named = {target for call in calls for target in call.split()}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named - targets == set()
