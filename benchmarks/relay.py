"""A relay beside `git fetch && git push` of git itself, between the same two servers, in turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.figures import Row, Table
from benchmarks.git_repositories import BASE, MAIN, add_push, fill
from benchmarks.running_cloud import PROJECT
from tests.support.git_server import GitServer, environment, git, running_git_server

PUSHES = (1, 100, 10_000)
ROUNDS = 7
MOST_OF_GIT = 1.5
MOST_MEBIBYTES = 200


@dataclass(frozen=True)
class Run:
    """Seconds of wall clock and of the client's CPU; of a relay also its call alone, its memory and its objects."""

    wall: float
    cpu: float
    call: float = 0
    mebibytes: float = 0
    objects: int = 0


def measure(console: Console) -> list[Table]:
    """Relay each push and bring it over by git, in turn; the first round, which fills caches, does not count."""
    with tempfile.TemporaryDirectory() as name, running_git_server(Path(name)) as server:
        console.print("relay: making a repository of 100,000 objects", highlight=False)
        source = server.repository("source")
        fill(source)
        pristine = _copy(source, Path(name) / "pristine.git")
        rows = []
        for objects in PUSHES:
            console.print(f"relay: {objects:,} objects, {ROUNDS} rounds", highlight=False)
            git(source, "update-ref", MAIN, add_push(source, objects))
            relays, gits = _in_turn(server, pristine)
            if relays[0].objects != objects:
                raise RuntimeError(f"{relays[0].objects} objects came")
            rows.append(_row(f"{objects:,}", relays, gits, most=MOST_OF_GIT))
        console.print("relay: the first copy", highlight=False)
        git(source, "update-ref", MAIN, BASE)
        rows.append(_row("all: the first copy", [_relay(server, None)], [_git(server, None)], most=None))
    return [
        Table(
            f"A relay beside git fetch && git push, in a repository of 100,000 objects ({ROUNDS} rounds, in turn)",
            ("objects", "relay", "its CPU", "process", "its memory", "git", "its CPU", "relay/git", "CPU"),
            rows,
            (
                "relay: the call, as in a function that is warm; process: with the start of Python and the imports.",
                "git: both commands, in a clone that it keeps; the relay keeps none. CPU is that of the client.",
            ),
        )
    ]


def _in_turn(server: GitServer, pristine: Path) -> tuple[list[Run], list[Run]]:
    relays, gits = [], []
    for _ in range(ROUNDS + 1):
        relays.append(_relay(server, pristine))
        gits.append(_git(server, pristine))
    return relays[1:], gits[1:]


def _row(label: str, relays: list[Run], gits: list[Run], *, most: float | None) -> Row:
    call, wall = (median(run.call for run in relays), median(run.wall for run in relays))
    of_git = median(run.wall for run in gits)
    cpu, cpu_of_git = (median(run.cpu for run in runs) for runs in (relays, gits))
    memory = max(run.mebibytes for run in relays)
    ratio = call / of_git
    cells = (
        label,
        f"{call:.2f} s",
        f"{cpu:.2f} s",
        f"{wall:.2f} s",
        f"{memory:.0f} MiB",
        f"{of_git:.2f} s",
        f"{cpu_of_git:.2f} s",
        f"{ratio:.2f}",
        f"{cpu / cpu_of_git:.2f}",
    )
    bound = f"{'' if most is None else f'<= {most} of git, '}memory <= {MOST_MEBIBYTES} MiB"
    return Row(cells, bound, (most is None or ratio <= most) and memory <= MOST_MEBIBYTES)


def _relay(server: GitServer, pristine: Path | None) -> Run:
    _reset(server, "target", pristine)
    command = [sys.executable, "-m", "benchmarks.relay_process", server.address("source"), server.address("target")]
    run, printed = _timed(command, PROJECT)
    _check(server)
    answer = json.loads(printed)
    return Run(run.wall, answer["cpu"], answer["wall"], answer["mebibytes"], answer["objects"])


def _git(server: GitServer, pristine: Path | None) -> Run:
    _reset(server, "target", pristine)
    clone = _reset(server, "clone", pristine)
    script = (
        f"git fetch -q {server.address('source')} {MAIN} && git push -q {server.address('target')} FETCH_HEAD:{MAIN}"
    )
    run, _ = _timed(["sh", "-c", script], clone, environment())
    _check(server)
    return run


def _timed(command: list[str], folder: Path, variables: dict[str, str] | None = None) -> tuple[Run, str]:
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        printed = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed")
    return Run(wall, used.ru_utime + used.ru_stime), printed


def _reset(server: GitServer, name: str, pristine: Path | None) -> Path:
    """A repository as it was before the push; an empty one without `pristine`."""
    path = server.root / f"{name}.git"
    shutil.rmtree(path, ignore_errors=True)
    return server.repository(name) if pristine is None else _copy(pristine, path)


def _copy(repository: Path, path: Path) -> Path:
    # Packs are never written to: links are as good as copies.
    shutil.copytree(repository, path, copy_function=_link)
    return path


def _link(source: str, target: str) -> None:
    (os.link if "/objects/" in source else shutil.copy2)(source, target)


def _check(server: GitServer) -> None:
    source, target = (git(server.root / f"{name}.git", "rev-parse", MAIN) for name in ("source", "target"))
    if source != target:
        raise RuntimeError("the branch did not arrive")
