"""The documentation is right: its links, its examples of routes, and the tables that it shares with the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from amplify_jobs.events.event import EventKind
from amplify_jobs.events.evidence import EVERYWHERE, Evidence, Header, Member
from amplify_jobs.events.git_hosts import TITLES, git_host
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.reporting.kinds import KINDS
from amplify_jobs.routing.placeholders import values_of
from amplify_jobs.routing.report_targets import STATUS_HOSTS
from amplify_jobs.routing.routes import Route, Routes, Source
from amplify_jobs_cli.routes_file.load import check_routes, read_routes
from amplify_jobs_cli.routes_file.model_fields import member_names, models_below

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
HOST_PAGES = sorted((DOCS / "git-hosts").glob("*.md"))
PAGES = [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *HOST_PAGES, ROOT / "events" / "README.md"]
EXAMPLES = [
    pytest.param(file.name, example, id=f"{file.name}-{number}")
    for file in (DOCS / "routes.md", DOCS / "git-hosts.md", *HOST_PAGES)
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


def whole(example: str) -> str:
    """An example of a target with the source and the route that a file needs."""
    source = re.search(r"source: ([\w-]+)", example)
    provider = source[1] if source else "github"
    return f"""\
sources:
  {provider}: {{provider: {provider}, secrets: [/amplify-jobs/secrets/{provider}]}}
routes:
  web:
    when: {{push: {{repository: acme/web, branches: [main]}}}}
    request: {{operation: start_job, parameters: {{appId: d1a2b3c4d5e6, branchName: main, jobType: RELEASE}}}}
{example}"""


REPORTS = re.findall(r"```yaml\n(.*?)```", (DOCS / "reports.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("example", REPORTS)
def test_every_example_of_a_report_passes_the_check(example: str) -> None:
    checked = check_routes((example if "routes:" in example else whole(example)).encode(), "amplify-jobs")
    assert (checked.faults, checked.warnings) == ((), ())


def test_every_host_and_kind_has_an_example() -> None:
    targets = [target for example in REPORTS for target in yaml.safe_load(example)["reports"].values()]
    assert {target["kind"] for target in targets} == set(KINDS)
    # One part tells of both.
    assert {target.get("source") for target in targets} - {None} == STATUS_HOSTS.keys() - {"forgejo"}


def test_every_member_of_a_target_is_explained() -> None:
    text = (DOCS / "reports.md").read_text()
    names = {name for path, model in models_below(Routes) if path[:1] == ("reports",) for name in member_names(model)}
    assert [name for name in names if f"`{name}`" not in text and f"{name}:" not in text] == []


@pytest.mark.parametrize(("file", "example"), EXAMPLES)
def test_every_example_passes_the_check(file: str, example: str) -> None:
    routes = read_routes(example.encode(), file, "amplify-jobs")
    assert routes.routes or routes.follow


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


def source_text(source: Member | Header) -> str:
    if isinstance(source, Header):
        return "header " + ", else ".join(f"`{name}`" for name in source.names)
    return f"`{source.path}`" + (f" where `message.text` has “{source.words}”" if source.words else "")


def line(hosts: str, evidence: Evidence) -> str:
    """A row of the table of what makes an event new, as docs/git-hosts.md has it."""
    kinds = ", ".join(kind.replace("_", " ") for kind in evidence.kinds if not kind.startswith("ref_"))
    actions = " or ".join(evidence.actions)
    if evidence is EVERYWHERE:
        actions += ", unless it is an approval"
    kinds = f"comment on a {kinds}" if evidence.comments else kinds
    choices = [" and ".join(source_text(source) for source in choice) for choice in evidence.choices]
    texts = "; else ".join(choices + (["nothing: each delivery is new"] if evidence.else_delivery else []))
    return f"| {hosts} | {f'{kinds} {actions}'.strip()} | {texts or '-'} |"


def test_what_makes_an_event_new_is_listed() -> None:
    text = (DOCS / "git-hosts.md").read_text()
    _, _, rest = text.partition("## What makes an event new\n")
    section, _, _ = rest.partition("\n## ")
    rows = [row for row in section.splitlines() if row.startswith("| ")]
    # Hosts whose evidence is one have their rows in common.
    hosts: dict[tuple[Evidence, ...], list[str]] = {}
    for name, title in TITLES.items():
        hosts.setdefault(tuple(git_host(name).EVIDENCE), []).append(title)
    lines = [line(", ".join(titles), row) for evidence, titles in hosts.items() for row in evidence]
    assert rows[2:] == [line("every host", EVERYWHERE), *lines]


def test_the_architecture_names_every_package_and_the_layers_of_the_contract() -> None:
    text = (DOCS / "architecture.md").read_text()
    layer = ROOT / "layers" / "core" / "amplify_jobs"
    table = text.partition("## The packages of the service\n")[2].partition("\n## ")[0]
    modules = {path.stem for path in layer.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert [name for name in sorted(modules - {"__init__"}) if f"`{name}`" not in table] == []
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    drawn = text.partition("## The layer rule\n")[2].partition("```text\n")[2].partition("\n```")[0]
    assert drawn.splitlines() == [name.replace("amplify_jobs.", "") for name in contracts[0]["layers"]]


def test_every_file_that_the_architecture_names_is_there() -> None:
    text = (DOCS / "architecture.md").read_text()
    section = text.partition("## What stays hand-written\n")[2].partition("\n## ")[0]
    paths = [
        path for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for path in re.findall("`([^`]+)`", row)
    ]
    parents = [ROOT, ROOT / "layers" / "core" / "amplify_jobs", ROOT / "layers" / "core" / "amplify_jobs" / "events"]
    parents += [parents[-1] / "webhooks", ROOT / "cli"]
    assert [
        path
        for path in paths
        if not any((parent / path).exists() or (parent / f"{path}.py").exists() for parent in parents)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_make_command_has_its_target(page: Path) -> None:
    code = re.findall(r"`([^`\n]+)`|^    ([^#\n]+)", page.read_text(), re.MULTILINE)
    calls = [call for pair in code for call in re.findall(r"(?:^|\s)make((?: [\w.-]+(?![\w=\"/]))+)", "".join(pair))]
    named = {target for call in calls for target in call.split()}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named - targets == set()
