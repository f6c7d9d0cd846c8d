"""`make run`: a short play on the local cloud. Four pushes to real repositories, and what comes of each."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from contextlib import ExitStack

from rich.console import Console

from demo.acts import Acts
from demo.app import ROOT
from demo.browser import open_page
from demo.forms import generate_forms
from demo.mirror import MirrorAct
from demo.repository import FULL_NAME, NO_GIT, Repository
from demo.screen import Screen
from demo.stage import set_stage, shown
from demo.watching import Watcher
from local.cloud import CloudSettings, LocalCloud
from local.console import BASE
from local.server import git_backend
from local.server.http_server import PortOccupiedError
from local.server.interrupts import raise_once
from local.server.ports import ports
from local.state_folder import free_folder

FOLDER = ROOT / ".local" / "demo"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="exit after the four pushes; exit code 0 if each came out as meant"
    )
    once = parser.parse_args().once
    # Nothing that is printed may end the demonstration: a commit's message may have what the terminal can't show.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # standard output is a text file
    screen = Screen(Console())
    if shutil.which("git") is None:
        screen.line(f"make run: {NO_GIT}", "red")
        return 1
    try:
        raise_once()
        return show(screen, once=once)
    except KeyboardInterrupt:
        screen.line("Stopped.")
        return 0
    except PortOccupiedError as error:
        screen.line(f"{error}; set LOCAL_AWS_PORT or LOCAL_HTTP_PORT to another", "red")
        return 1
    except (RuntimeError, ValueError) as error:
        screen.line(str(error), "red")
        return 1


def show(screen: Screen, *, once: bool) -> int:
    """Set the demonstration up, show the acts, and then every further push until Ctrl-C."""
    aws_port, http_port = ports()
    with free_folder(FOLDER) as folder, ExitStack() as stack:
        screen.line("The whole stack on this machine; no AWS account takes part:")
        mirror = stack.enter_context(MirrorAct(folder)) if git_backend.is_installed() else None
        settings = CloudSettings(
            aws_port=aws_port,
            http_port=http_port,
            state_dir=folder / "cloud",
            parameters=mirror.parameters if mirror else {},
        )
        with screen.step("The local cloud, from template.yaml"):
            cloud = stack.enter_context(LocalCloud(ROOT / "template.yaml", settings))
            cloud.functions.load_packages()
        screen.detail(f"AWS at {cloud.endpoint_url}")
        screen.detail(f"HTTP API at {cloud.api_url}")
        stage = set_stage(cloud, folder, screen, mirror)
        console_page = f"{cloud.endpoint_url}{BASE}/"
        screen.detail(f"Console {console_page} shows all this live")

        watcher = Watcher(stage.session, stage.announcements, stage.reports, screen)
        is_as_meant = Acts(stage.repository, watcher, screen).play()
        generate_forms(stage, watcher, screen)
        if mirror is None:
            screen.line("\nNo mirror is shown: git is here without its http-backend, which the act's git host needs.")
        else:
            is_as_meant = mirror.play(stage.session, watcher, screen) and is_as_meant
        if once:
            screen.line("\nThe local cloud ends here, and its pages with it; make run keeps it running.")
            return 0 if is_as_meant else 1
        screen.line("\nYour turn", "bold")
        is_open = screen.console.is_terminal and open_page(console_page)
        screen.line(f"Console  {console_page}")
        if is_open:
            screen.line("         is open in your browser.")
        screen.line(f"Reports  {stage.reports.page}")
        screen.line("From another terminal, in this folder:")
        for purpose, command in commands(cloud.endpoint_url, stage.repository):
            screen.line(f"  {purpose}")
            screen.copyable(command)
        while True:
            screen.line("Ctrl-C stops the local cloud.")
            watcher.next_end(lambda: True)


def commands(endpoint_url: str, repository: Repository) -> list[tuple[str, str]]:
    """What to try while the local cloud runs: a purpose, and a command for a shell in the project's folder."""
    tree = shlex.quote(shown(repository.work_tree))
    again = "echo '<p>Again</p>' >> index.html && git commit -qam 'Say it again' && git push -q"
    broken = "git rm -q style.css && git commit -qm 'Break the build' && git push -q"
    # The last commit that broke it, whatever was pushed since.
    repaired = "git revert --no-edit ':/^Break the build' && git push -q"
    ask = f"AWS_ENDPOINT_URL={endpoint_url} .venv/bin/amplify-jobs"
    return [
        ("Repair the build", f"(cd {tree} && {repaired})"),
        ("Push again", f"(cd {tree} && {again})"),
        ("Break the build", f"(cd {tree} && {broken})"),
        ("Why did it fail?", f"{ask} jobs show --app web --branch main"),
        ("Why was the push not built?", f"{ask} deliveries show --repository {FULL_NAME}"),
        ("Which commit is live?", f"{ask} branches"),
    ]
