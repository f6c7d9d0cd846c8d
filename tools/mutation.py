"""Mutation run: changes the code of pure modules, one place at a time, and says which changes no test notices.

Cosmic Ray makes the changes in a copy of the project, and runs the tests of tests/unit and tests/cli that import the
module. `make mutation MODULES="starting.lease routing.github_patterns"` names modules of amplify_jobs. Changes that
docs/mutation.md lists are known to mean the same, or to be noticed by other tests. Exits with 1 for any other that
survives.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COSMIC_RAY = ROOT / ".venv-mutation" / "bin"
PACKAGE = Path("layers/core/amplify_jobs")
DOCS = ROOT / "docs" / "mutation.md"
TEST_FOLDERS = ("tests/unit", "tests/cli")
# How long the tests of one change may take; a change that makes a loop endless counts as noticed.
TEST_SECONDS = 120

# `X | None` in an annotation is never computed: a change there can't be noticed.
EXCLUDED = "core/ReplaceBinaryOperator_BitOr_.*"

CONFIGURATION = """
[cosmic-ray]
module-path = {module}
timeout = {seconds}
excluded-modules = []
test-command = {command}
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = [{excluded}]
"""


ANY = "any"
Survivor = tuple[str, str, str]
"""A change that is known to survive: the module, the line before, and after or ANY."""


@dataclass(frozen=True)
class Change:
    """One change of a module: the line that it is in, before and after."""

    module: str
    line: int
    before: str
    after: str

    def is_known(self, survivors: Collection[Survivor]) -> bool:
        return not {(self.module, self.before, self.after), (self.module, self.before, ANY)}.isdisjoint(survivors)

    def shown(self) -> str:
        return f"{self.module}:{self.line}\n  - {self.before}\n  + {self.after}"


@dataclass(frozen=True)
class Result:
    """How many changes of a module were tried, and which of them no test noticed."""

    tried: int
    survivors: tuple[Change, ...]


class NoTestsError(Exception):
    """No test imports the module; the message says which."""


def main(names: Sequence[str]) -> int:
    """Run the modules one after the other, and answer the exit code."""
    survivors = known_survivors(DOCS.read_text(encoding="utf-8"))
    unknown = 0
    for name in names:
        print(f"{name}: tests are {', '.join(files_of_tests(name))}", flush=True)
        result = run(name)
        new = [change for change in result.survivors if not change.is_known(survivors)]
        unknown += len(new)
        listed = len(result.survivors) - len(new)
        print(f"{name}: {result.tried} changes, {len(new)} survive, {listed} more are known to (docs/mutation.md)")
        for change in new:
            print(change.shown())
        code = {line.strip() for line in (ROOT / path_of(name)).read_text(encoding="utf-8").splitlines()}
        for line in sorted(line for module, line, _ in survivors if module == name and line not in code):
            print(f"docs/mutation.md lists a line that {name} no longer has: {line}")
    return 1 if unknown else 0


def known_survivors(text: str) -> set[Survivor]:
    """The module, the line and the change of each row of the table in docs/mutation.md; `any` is the change ANY."""
    rows = re.findall(r"^\| ([\w.]+) \| `(.+?)` \| (any|`.+?`) \|", text, re.MULTILINE)
    return {(module, line.replace(r"\|", "|"), change.strip("`").replace(r"\|", "|")) for module, line, change in rows}


def path_of(name: str) -> Path:
    """The file of a module, as `routing.github_patterns`, from the project's folder."""
    return PACKAGE / f"{name.replace('.', '/')}.py"


def files_of_tests(name: str) -> list[str]:
    """The test files that import a module. Raises NoTestsError."""
    package, _, module = f"amplify_jobs.{name}".rpartition(".")
    imported = re.compile(rf"from {package}\.{module} import|from {package} import (?:\w+, )*{module}\b")
    files = (file for folder in TEST_FOLDERS for file in sorted((ROOT / folder).rglob("test_*.py")))
    modules = [file.relative_to(ROOT).as_posix() for file in files if imported.search(file.read_text(encoding="utf-8"))]
    if not modules:
        raise NoTestsError(f"no test in {' and '.join(TEST_FOLDERS)} imports amplify_jobs.{name}")
    return modules


def run(name: str) -> Result:
    """Try every change of a module, in a copy of what git knows of the project."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        copy_project(copy)
        pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        configuration = CONFIGURATION.format(
            module=json.dumps(str(path_of(name))),
            seconds=TEST_SECONDS,
            command=json.dumps(" ".join([*pytest, *files_of_tests(name)])),
            excluded=json.dumps(EXCLUDED),
        )
        (copy / "mutation.toml").write_text(configuration, encoding="utf-8")
        for program, *arguments in (
            # Fails where the tests fail without any change.
            ("cosmic-ray", "baseline", "mutation.toml"),
            ("cosmic-ray", "init", "mutation.toml", "mutation.sqlite"),
            ("cr-filter-operators", "mutation.sqlite", "mutation.toml"),
            ("cosmic-ray", "exec", "mutation.toml", "mutation.sqlite"),
        ):
            cosmic_ray(copy, program, *arguments)
        return result_of(name, cosmic_ray(copy, "cosmic-ray", "dump", "mutation.sqlite"))


def copy_project(target: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for file in filter(None, listed.split("\0")):
        if (ROOT / file).is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, target / file)


def cosmic_ray(folder: Path, program: str, *arguments: str) -> str:
    # The copy comes before the project, which is installed where the tests run.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder / "layers/core"), str(folder)])}
    command = [str(COSMIC_RAY / program), *arguments]
    process = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if process.returncode:
        sys.exit(f"{program} {' '.join(arguments)} failed:\n{process.stdout}{process.stderr}")
    return process.stdout


def result_of(name: str, dump: str) -> Result:
    """Read what `cosmic-ray dump` printed: a pair of a change and its outcome on each line."""
    outcomes = [json.loads(line) for line in dump.splitlines()]
    completed = [(item, outcome) for item, outcome in outcomes if outcome and outcome["worker_outcome"] == "normal"]
    survivors = (
        change
        for item, outcome in completed
        if outcome["test_outcome"] == "survived"
        for change in changes(name, item["mutations"][0]["start_pos"][0], outcome["diff"])
    )
    return Result(len(completed), tuple(sorted(set(survivors), key=lambda change: (change.line, change.after))))


def changes(name: str, line: int, diff: str) -> Iterator[Change]:
    """The change that a unified diff shows; a change of several lines counts by the first that differs."""
    before = [text[1:].strip() for text in diff.splitlines() if text.startswith("-") and not text.startswith("---")]
    after = [text[1:].strip() for text in diff.splitlines() if text.startswith("+") and not text.startswith("+++")]
    if before and after:
        yield Change(name, line, before[0], after[0])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NoTestsError as error:
        sys.exit(str(error))
