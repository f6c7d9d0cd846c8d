"""`make check` runs all its parts, says which one failed, and has the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAKEFILE = """\
good:
\t@echo "first line"
\t@echo "===== 12 passed in 3 s ====="
bad:
\t@echo "what is wrong" >&2
\t@exit 3
# Each waits for the other: they end only if they run at the same time.
left:
\t@touch left; for try in 1 2 3 4 5 6 7 8 9; do [ -e right ] && exit 0; sleep 1; done; exit 1
right:
\t@touch right; for try in 1 2 3 4 5 6 7 8 9; do [ -e left ] && exit 0; sleep 1; done; exit 1
"""


def check(folder: Path, *targets: str) -> tuple[int, str]:
    (folder / "Makefile").write_text(MAKEFILE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MAKEFLAGS": "-j2 --jobserver-auth=98,99"}
    process = subprocess.run(
        [sys.executable, "-m", "tools.check", *targets],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stderr == ""
    return process.returncode, process.stdout


def test_the_exit_code_is_0_if_all_parts_pass(tmp_path: Path) -> None:
    code, output = check(tmp_path, "good", "good")
    assert code == 0
    assert output.count("passed  good") == 2
    assert "12 passed in 3 s\n" in output
    assert "first line" not in output
    assert output.endswith("All passed.\n")


@pytest.mark.parametrize("targets", [("bad", "good"), ("good", "bad"), ("bad", "missing")])
def test_the_exit_code_is_1_if_one_part_fails_and_its_output_is_shown(targets: tuple[str, ...], tmp_path: Path) -> None:
    code, output = check(tmp_path, *targets)
    assert code == 1
    assert "FAILED  bad" in output
    assert "\nwhat is wrong\n" in output
    assert all(target in output for target in targets)
    assert output.splitlines()[-1].startswith("Failed: ")


def test_parts_run_at_the_same_time(tmp_path: Path) -> None:
    assert check(tmp_path, "left", "right")[0] == 0


def test_make_check_runs_every_part_and_passes_the_exit_code_on() -> None:
    # These tests may run under `make`, which then tells of its folders.
    command = ["make", "--no-print-directory", "--dry-run", "check"]
    calls = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert calls.rstrip().endswith("-m tools.check lint types template security machine test")
    # `make` is a shell's command like any other: a dash or a semicolon before or after it would hide its exit code.
    recipe = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].split("\n")[1]
    assert recipe == "\t@$(BIN)/python -m tools.check $(PARTS)"
