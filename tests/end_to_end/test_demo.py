"""`make run`, `make local` and `make examples` as somebody meets them who just cloned this: also what goes wrong."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import boto3
import pytest

from tests.support.waiting import eventually

pytestmark = pytest.mark.thorough

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 150
ANY_PORTS = {"LOCAL_AWS_PORT": "0", "LOCAL_HTTP_PORT": "0"}


class Program:
    """A program with what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.printed = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read on until the printed text has a pattern after what was read before."""
        assert self.process.stdout is not None
        text = ""
        while not (result := re.search(pattern, text)):
            line = self.process.stdout.readline()
            assert line, f"{pattern} was never printed, but:\n{self.printed}"
            text += line
            self.printed += line
        return result

    def interrupt(self) -> int:
        """Press Ctrl-C, which a terminal sends to every process of the group, and give the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        rest, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.printed += rest
        return self.process.returncode

    def end(self) -> int:
        rest, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.printed += rest
        return self.process.returncode


@contextmanager
def surroundings(**variables: str) -> Iterator[dict[str, str]]:
    """The environment of a program. Its Node is too old: the code generator is not what is tested."""
    with TemporaryDirectory() as folder:
        node = Path(folder, "node")
        node.write_text("#!/bin/sh\necho v1.0.0\n")
        node.chmod(0o755)
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        yield {**os.environ, **ANY_PORTS, "PATH": path, "PYTHONUNBUFFERED": "1", **variables}


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[Program]:
    """A program of this project, whose output is a pipe."""
    with surroundings(**variables) as environment, started(*arguments, **environment) as program:
        yield program


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[Program]:
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        # What is waited for and never comes ends with the program.
        watchdog = Timer(PATIENCE_SECONDS, process.kill)
        watchdog.start()
        try:
            yield Program(process)
        finally:
            watchdog.cancel()
            process.kill()


def shell(command: str) -> tuple[int, str]:
    """Run a command as somebody who copies it from the screen, in the project's folder."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def git(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def test_the_demo_shows_builds_that_fail_or_are_cancelled_and_ends_at_ctrl_c() -> None:
    with running("demo") as demo:
        endpoint = demo.wait_for(r"AWS at (\S+)\n")[1]
        app_id, tree = demo.wait_for(r"App (\S+) builds (\S+)\.git\n").groups()
        tree = PROJECT / tree
        demo.wait_for("Your turn")
        for shown in (
            r"✓ The local cloud, from template\.yaml +\d+\.\d s\n",
            r"✓ Routes: which push starts which job +\d+\.\d s\n",
            r"┃ ✓ web main #1 succeeded · [0-9a-f]{7} Say hello · \d+\.\d s\n",
            "┃ Status +amplify-jobs/web: success, Succeeded after",
            "┃ Chat +web · main · job 1: succeeded after",
            "┃ ✗ web main #2 failed · [0-9a-f]{7} Break the build",
            "┃ Cause +The command uses a folder or file that does not exist\n",
            "┃ Advice +Correct the path",
            r"┃ Command +cp style\.css public/\n",
            r"┃ Log +.*style\.css",
            "┃ Mail +FAILED: web main #2 ",
            "┃ Status +amplify-jobs/web: failure, Failed after .*: The command uses",
            "┃ Chat +web · main · job 2: failed after",
            r"┃ ○ draft is not built\n┃ Reason +route web: branch draft does not match main\n",
            r"┃ ✓ shop main #1 succeeded · [0-9a-f]{7} Open the shop · \d+\.\d s\n",
            r"┃ Pushed +([0-9a-f]{40})\n┃ Mirrored +\1\n┃ Built +\1\n",
        ):
            assert re.search(shown, demo.printed), shown
        rest = demo.wait_for("(?s)^.*Ctrl-C stops")[0]
        assert f"Console  {endpoint}/_local/\n" in rest
        assert f"Reports  {endpoint}/_local/reports\n" in rest
        screen = dict(re.findall(r"\n  (\S.+)\n    (.+)", rest))
        assert list(screen) == [
            "Repair the build",
            "Push again",
            "Break the build",
            "Why did it fail?",
            "Why was the push not built?",
            "Which commit is live?",
        ]
        for question, answer in (
            ("Why did it fail?", "Cause +The command uses a folder"),
            ("Why was the push not built?", "branch draft does not match main"),
            ("Which commit is live?", "LIVE"),
        ):
            code, printed = shell(screen[question])
            assert code == 0, printed
            assert re.search(answer, printed), printed
        for purpose, end in (
            ("Repair the build", "✓ web main #3 succeeded"),
            ("Push again", "✓ web main #4 succeeded"),
            ("Break the build", "✗ web main #5 failed"),
            ("Repair the build", "✓ web main #6 succeeded"),
        ):
            code, printed = shell(screen[purpose])
            assert code == 0, printed
            assert "remote:   request web-" in printed
            demo.wait_for(end)
            demo.wait_for("Ctrl-C stops")

        spec = tree / "amplify.yml"
        spec.write_text(spec.read_text().replace("mkdir -p public", "sleep 300"))
        git(tree, "commit", "-qam", "Build for ever")
        git(tree, "push")
        job_id = demo.wait_for(r"web main #(\d+) started")[1]
        amplify = boto3.client(
            "amplify",
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        amplify.stop_job(appId=app_id, branchName="main", jobId=job_id)
        # Amplify sends no event for a job that somebody stops; the next poll finds it, and may be a while away.
        assert demo.interrupt() == 0

        assert demo.printed.endswith("Stopped.\n")
        assert "Traceback" not in demo.printed
        git(tree, "commit", "-q", "--allow-empty", "-m", "Too late")
        _, printed = git(tree, "push", "origin", "HEAD:refs/heads/main")
        assert "the local cloud is not running; start it with: make run" in printed
        assert "Traceback" not in printed


def test_on_a_terminal_the_browser_opens_the_console_and_no_line_is_too_long(tmp_path: Path) -> None:
    columns, browser, opened = 60, tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    printed, code = on_terminal(columns, "demo", "Ctrl-C stops", BROWSER=str(browser), TERM="xterm-256color")
    assert code == 0
    console = re.search(r"Console  (http://\S+/_local/)\n +is open in your browser", printed)
    assert console is not None, printed
    assert opened.read_text() == f"{console[1]}\n"
    assert "✗ web main #2 failed" in printed
    assert "Traceback" not in printed
    # What is to be copied stays whole.
    for line in printed.partition("Your turn")[0].splitlines():
        assert len(line) <= columns or "http" in line or "amplify-jobs" in line, line


def on_terminal(columns: int, module: str, end: str, **variables: str) -> tuple[str, int]:
    """Run a module on a terminal, press Ctrl-C once it has printed a text, and give what is seen and the exit code."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with (
        surroundings(**variables) as environment,
        subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=PROJECT,
            # Workers of the tests say how wide they are; here the terminal says it.
            env={name: value for name, value in environment.items() if name not in {"COLUMNS", "LINES"}},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        ) as process,
    ):
        os.close(terminal)
        watchdog = Timer(PATIENCE_SECONDS, process.kill)
        watchdog.start()
        printed, is_interrupted = b"", False
        try:
            # A terminal that every process has left is at its end, which is an error on Linux.
            with suppress(OSError):
                while chunk := os.read(controller, 65536):
                    printed += chunk
                    if end.encode() in printed and not is_interrupted:
                        os.killpg(process.pid, signal.SIGINT)
                        is_interrupted = True
            code = process.wait(PATIENCE_SECONDS)
        finally:
            watchdog.cancel()
            process.kill()
            os.close(controller)
    text = printed.decode().replace("\r\n", "\n")
    # What was drawn anew, and what steers the terminal.
    return re.sub(r"[^\n]*\r\x1b\[2K|\x1b\[[?0-9;]*[A-Za-z]|\r", "", text), code


def assert_nothing_runs(group: int) -> None:
    """The processes of a group end, those of git and its hook a moment after the demo."""
    eventually(lambda: not runs(group))


def runs(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("seconds", [0.3, 1, 2, 3])
def test_ctrl_c_during_the_start_ends_the_demo_without_a_traceback(seconds: float) -> None:
    """How far the start gets in these times differs from machine to machine: all that can come of it is right."""
    with running("demo") as demo:
        time.sleep(seconds)
        assert demo.interrupt() in (0, -signal.SIGINT)
        assert "Traceback" not in demo.printed
        assert_nothing_runs(demo.process.pid)


@pytest.mark.parametrize(
    "moment",
    [
        "The local cloud",
        "which push starts which job",
        r"\$ git push origin main",
        "web main #1 started",
        "web main #1 succeeded",
        "Status ",
        r"\$ git rm",
        "web main #2 started",
        "web main #2 failed",
        "No route wants",
        "draft is not built",
        "No codegen job",
        "is self-hosted",
        "shop main #1 started",
    ],
)
def test_ctrl_c_ends_the_demo_at_any_moment_without_a_traceback(moment: str) -> None:
    with running("demo") as demo:
        demo.wait_for(moment)
        assert demo.interrupt() == 0
        assert demo.printed.endswith("Stopped.\n")
        assert "Traceback" not in demo.printed
        assert_nothing_runs(demo.process.pid)


def test_without_git_the_demo_says_so(tmp_path: Path) -> None:
    with running("demo", PATH=str(tmp_path)) as demo:
        assert demo.end() == 1
        assert demo.printed == ("make run: git is not on the PATH; install it (https://git-scm.com) and try again\n")


def test_without_git_s_http_backend_the_mirror_is_left_out(tmp_path: Path) -> None:
    git_program = shutil.which("git")
    (tmp_path / "git").write_text(
        f'#!/bin/sh\n[ "$1" = --exec-path ] && exec echo {tmp_path}\nexec {git_program} "$@"\n'
    )
    (tmp_path / "node").write_text("#!/bin/sh\necho v1.0.0\n")
    for name in ("git", "node"):
        (tmp_path / name).chmod(0o755)
    with running("demo", "--once", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}") as demo:
        assert demo.end() == 0
    assert "No mirror is shown: git is here without its http-backend" in demo.printed
    assert "shop main" not in demo.printed


def test_a_second_demo_leaves_the_first_one_s_repository_alone() -> None:
    with running("demo") as first:
        tree = PROJECT / first.wait_for(r"builds (\S+)\.git\n")[1]
        first.wait_for("Ctrl-C stops")
        with running("demo", "--once") as second:
            other = PROJECT / second.wait_for(r"builds (\S+)\.git\n")[1]
            assert other != tree
            second.wait_for("web main #1 succeeded")
            git(tree, "commit", "-q", "--allow-empty", "-m", "Still here")
            assert "request web-" in git(tree, "push")[1]
            # The second act broke the build.
            first.wait_for("web main #3 failed")
            assert second.end() == 0


def test_commits_of_the_run_before_are_kept() -> None:
    with running("demo") as demo:
        tree = PROJECT / demo.wait_for(r"builds (\S+)\.git\n")[1]
        demo.wait_for("Ctrl-C stops")
        git(tree, "commit", "-q", "--allow-empty", "-m", "Mine")
        demo.interrupt()
    with running("demo") as demo:
        previous = PROJECT / demo.wait_for(r"The previous run's repository: (\S+)\n")[1]
        demo.interrupt()
    assert "Mine" in git(previous / "web", "log", "-1", "--format=%s")[1]


def test_a_local_cloud_that_can_t_start_leaves_the_running_one_s_logs_alone(tmp_path: Path) -> None:
    with running("local", "--state-dir", str(tmp_path)) as cloud:
        port = cloud.wait_for(r"AWS endpoint +http://127\.0\.0\.1:(\d+)")[1]
        cloud.wait_for(rf"console +http://127\.0\.0\.1:{port}/_local/\n")
        logs = Path(cloud.wait_for(r"function logs (\S+)")[1])
        cloud.wait_for("ready")
        log = logs / "amplify-jobs-receive-webhook.log"
        log.write_text("what happened so far\n")
        with running("local", LOCAL_AWS_PORT=port) as second:
            assert second.end() == 1
        assert "can't be used" in second.printed
        with running("local", "--state-dir", str(tmp_path)) as third:
            assert third.end() == 1
        assert third.printed == f"local cloud: {tmp_path} is in use by process {cloud.process.pid}; " + (
            "give another with --state-dir\n"
        )
        assert log.read_text() == "what happened so far\n"


def test_two_local_clouds_have_folders_of_their_own() -> None:
    with running("local") as first, running("local") as second:
        folders = {program.wait_for(r"function logs (\S+)")[1] for program in (first, second)}
        assert len(folders) == 2


def test_what_is_left_out_is_listed_without_a_local_cloud() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, running("local", "--left-out", LOCAL_AWS_PORT=str(listener.getsockname()[1])) as program:
        assert program.end() == 0
    assert re.search(r"^\w+ \(AWS::CloudWatch::Alarm\): nothing measures", program.printed, re.MULTILINE)
    assert "not evaluated: policies of resources" in program.printed


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_list_whose_reader_has_had_enough_ends_without_a_traceback(unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "local", "--left-out"],
            cwd=PROJECT,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_the_examples_replace_nothing_unless_they_are_told_to(tmp_path: Path) -> None:
    with running("local", "--state-dir", str(tmp_path / "state")) as cloud:
        endpoint = cloud.wait_for(r"AWS endpoint +(\S+)")[1]
        cloud.wait_for("ready")
        credentials = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": endpoint}
        ssm = boto3.client(
            "ssm",
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        secret = "/amplify-jobs/secrets/github"
        ssm.put_parameter(Name=secret, Type="SecureString", Value="mine")
        folder = str(tmp_path / "examples")
        with running("demo.examples", "--folder", folder, **credentials) as examples:
            assert examples.end() == 1
        assert examples.printed.startswith(f"examples: this would replace {secret}; to do so: make examples REPLACE=1")
        assert ssm.get_parameter(Name=secret, WithDecryption=True)["Parameter"]["Value"] == "mine"
        with running("demo.examples", "--folder", folder, "--replace", **credentials) as examples:
            assert examples.end() == 0
        assert ssm.get_parameter(Name=secret, WithDecryption=True)["Parameter"]["Value"] != "mine"


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_a_new_enough_python_is_chosen_where_the_first_is_too_old(tmp_path: Path) -> None:
    for name, works in (("python3", False), ("python3.12", True)):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{'exit 0' if works else 'exit 1'}\n")
        program.chmod(0o755)
    shown = subprocess.run(
        ["make", "--dry-run", "--always-make", "setup"],
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(r"[ ;{]python3\.1[1-9] -m venv", shown)
    assert not re.search(r"[ ;{]python3 -m venv", shown)
