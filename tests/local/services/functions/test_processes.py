"""A process that was forked is one that started anew, but for the time that it takes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.services.functions.processes import PACKAGES, READ_AT_START, ForkServer, Program
from local.services.functions.runtime import ExecutionEnvironment, Invocation
from tests.support.waiting import eventually

PROJECT = Path(__file__).parents[4]
CANNOT_FORK = pytest.mark.skipif(sys.platform == "darwin", reason="each process starts Python anew on macOS")

HANDLER = """
import os, random, resource, signal, ssl, subprocess, sys, threading, time, uuid

OF_THIS_PROCESS = {"AWS_LAMBDA_RUNTIME_API", "_X_AMZN_TRACE_ID"}
IS_LOADED = "boto3" in sys.modules

def handler(event, context):
    match event["do"]:
        case "describe":
            return {
                "variables": {name: value for name, value in os.environ.items() if name not in OF_THIS_PROCESS},
                "folder": os.getcwd(),
                "arguments": sys.argv[1:],
                "main": sys.modules["__main__"].__spec__.name,
                "path": sys.path,
                "flags": list(sys.flags),
                "encodings": [sys.stdout.encoding, sys.getfilesystemencoding()],
                "time zone": time.tzname,
                "is leader": os.getsid(0) == os.getpgid(0) == os.getpid(),
                "input": os.path.realpath("/dev/fd/0"),
                "outputs": [os.path.realpath(f"/dev/fd/{number}") for number in (1, 2)],
                "open files": len(os.listdir("/dev/fd")),
                "threads": threading.active_count(),
                "handlers": {each.name: str(signal.getsignal(each)) for each in signal.Signals},
                "limit": resource.getrlimit(resource.RLIMIT_NOFILE),
            }
        case "load":
            import boto3
            return [IS_LOADED, boto3.__file__]
        case "guess":
            return [random.random(), uuid.uuid4().hex, ssl.RAND_bytes(8).hex()]
        case "leave":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with open("child", "w") as file:
                file.write(str(child.pid))
            os._exit(3)
"""


@pytest.fixture(scope="module")
def processes() -> Iterator[ForkServer]:
    with closing(ForkServer()) as server:
        yield server


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "handler.py").write_text(HANDLER)
    variables = {"PATH": os.environ["PATH"], "GREETING": "hello", "PYTHONPATH": f"{folder}:{tmp_path / 'layer'}"}
    variables |= {"LANG": "en_US.UTF-8", "TZ": ":UTC", "PYTHONUNBUFFERED": "1"}
    return Program("handler.handler", folder, variables, tmp_path / "log")


def ask(environment: ExecutionEnvironment, task: str) -> Any:
    outcome = environment.invoke(Invocation(str(uuid4()), json.dumps({"do": task}).encode(), "arn", 20))
    assert outcome.function_error is None, outcome.payload
    return json.loads(outcome.payload)


def answer(processes: ForkServer, program: Program, task: str) -> Any:
    """The answer of a new process."""
    with closing(ExecutionEnvironment(processes, program)) as environment:
        return ask(environment, task)


def with_variables(program: Program, variables: Mapping[str, str]) -> Program:
    return Program(program.handler, program.folder, {**program.variables, **variables}, program.log_file)


def is_running(pid: int) -> bool:
    listing = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout.strip()[:1] not in {"", "Z"}


def test_a_forked_process_is_like_one_that_started_anew(processes: ForkServer, program: Program) -> None:
    with closing(ForkServer(packages=())) as others:
        anew = answer(others, program, "describe")
    forked = answer(processes, program, "describe")
    assert forked == anew
    assert forked["outputs"] == [str(program.log_file)] * 2


@CANNOT_FORK
def test_a_forked_process_begins_with_the_packages(processes: ForkServer, program: Program) -> None:
    is_loaded, _ = answer(processes, program, "load")
    assert is_loaded
    with closing(ForkServer(packages=())) as others:
        is_loaded, _ = answer(others, program, "load")
    assert not is_loaded


@CANNOT_FORK
def test_the_packages_can_be_loaded_before_the_first_process(program: Program) -> None:
    with closing(ForkServer()) as processes:
        processes.load_packages(program.variables)
        is_loaded, _ = answer(processes, program, "load")
    assert is_loaded


def test_random_numbers_are_each_process_s_own(processes: ForkServer, program: Program) -> None:
    guesses = [answer(processes, program, "guess") for _ in range(2)]
    assert all(first != second for first, second in zip(*guesses, strict=True))


@pytest.mark.parametrize("place", ["function", "layer"])
def test_a_function_s_own_package_goes_over_a_loaded_one(
    processes: ForkServer, program: Program, tmp_path: Path, place: str
) -> None:
    (tmp_path / place / "boto3").mkdir(parents=True)
    own = tmp_path / place / "boto3" / "__init__.py"
    own.touch()
    assert answer(processes, program, "load") == [False, str(own)]


def test_a_variable_that_is_read_early_is_heeded(processes: ForkServer, program: Program) -> None:
    # The first process may be the one whose variables the parent has.
    answer(processes, program, "load")
    is_loaded, _ = answer(processes, with_variables(program, {"POWERTOOLS_DEBUG": "1"}), "load")
    assert not is_loaded


def test_the_packages_read_no_other_variables_when_they_are_loaded() -> None:
    code = f"""
import importlib, os
names, read = set(), os._Environ.__getitem__
os._Environ.__getitem__ = lambda variables, name: names.add(name) or read(variables, name)
for package in {PACKAGES!r}:
    importlib.import_module(package)
print(*names)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = run.stdout.split()
    assert "AWS_EXECUTION_ENV" in names
    # Python's own build has the others.
    assert [name for name in names if not name.startswith((*READ_AT_START, "_PYTHON"))] == []


def test_what_a_process_leaves_behind_ends_with_it(processes: ForkServer, program: Program) -> None:
    with closing(ExecutionEnvironment(processes, program)) as environment:
        outcome = environment.invoke(Invocation(str(uuid4()), b'{"do": "leave"}', "arn", 20))
        assert b"exit status 3" in outcome.payload
        child = int((program.folder / "child").read_text())
        eventually(lambda: not is_running(child))


def test_a_process_can_be_killed_again_and_before_it_has_begun(processes: ForkServer, program: Program) -> None:
    process = processes.start(program)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.kill()
    assert process.poll() == -signal.SIGKILL


def test_processes_end_with_their_parent_and_the_next_has_another(program: Program) -> None:
    with closing(ForkServer(packages=())) as processes:
        environment = ExecutionEnvironment(processes, program)
        os.kill(parent_of(environment.pid), signal.SIGKILL)
        eventually(lambda: not environment.alive)
        environment.close()
        eventually(lambda: not is_running(environment.pid))
        assert answer(processes, program, "describe")["variables"]["GREETING"] == "hello"


def parent_of(pid: int) -> int:
    return int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(pid)]))


def test_nothing_outlives_a_local_cloud_that_was_killed(program: Program) -> None:
    code = f"""
import sys, time
from pathlib import Path
from local.services.functions.processes import ForkServer, Program
folder, log_file = map(Path, {(str(program.folder), str(program.log_file))!r})
process = ForkServer().start(Program({program.handler!r}, folder, {program.variables!r}, log_file))
print(process.pid, flush=True)
time.sleep(600)
"""
    (program.folder / "handler.py").write_text("import time; time.sleep(600)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=PROJECT) as cloud:
        assert cloud.stdout is not None
        pid = int(cloud.stdout.readline())
        parent = parent_of(pid)
        assert is_running(pid)
        cloud.kill()
    eventually(lambda: not is_running(pid))
    eventually(lambda: not is_running(parent))
