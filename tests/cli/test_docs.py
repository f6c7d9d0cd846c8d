"""The pages call the command line as it is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from amplify_jobs_cli.cli import parser
from amplify_jobs_cli.commands.arguments import with_default_command

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]
# In a line of its own or in a sentence, and on the next line where a shell would go on there.
CALL = re.compile(r"(?:^ {4,8}|`)(?:\.venv/bin/)?amplify-jobs ((?:[^`\n\\#|>)]|\\\n)+)", re.MULTILINE)
CALLS = sorted(
    {
        (page.name, " ".join(call.replace("\\\n", " ").split()))
        for page in PAGES
        for call in CALL.findall(page.read_text())
    }
)
# What a sentence says instead of a command's own words.
NO_CALLS = re.compile(r"COMMAND\b.*|\w+$|(?:jobs|routes|deliveries|dead-letters) \w[\w-]*$|.*[…*]")


@pytest.mark.parametrize(("page", "call"), [one for one in CALLS if not NO_CALLS.fullmatch(one[1])])
def test_a_call_in_a_page_is_one(page: str, call: str) -> None:
    words = re.sub(r"(\$\(|<).*", "", call)
    parser().parse_args(with_default_command(shlex.split(words)))


def test_pages_call_many_commands() -> None:
    assert len({call.split()[0] for _, call in CALLS}) > 10


def questions(page: str, title: str) -> set[str]:
    """The first cells of a page's table of questions."""
    section = (ROOT / "docs" / page).read_text().partition(title)[2].partition("\n## ")[0]
    return {row.split(" | ")[0] for row in re.findall(r"^\| (.+)", section, re.MULTILINE)} - {"question", "---"}


def test_each_question_has_a_command_and_a_click() -> None:
    commands, clicks = questions("cli.md", "# The command line"), questions("console.md", "## Questions and clicks")
    assert len(clicks) > 10
    # A diagnosis reads more of the account than the console may.
    assert commands - {"What is wrong with the stack?"} == clicks
