"""Makes the pictures of the console in docs/pictures, from the example answers of its tests."""

from __future__ import annotations

import sys
import threading
from datetime import UTC
from pathlib import Path

from amplify_jobs_console.console import Console
from amplify_jobs_console.place import Place
from amplify_jobs_console.serving import ConsoleServer
from tests.support.browser import PROGRAMS, Tab, chromium, open_browser
from tests.support.console_answers import FAILED, NOW
from tests.support.console_api import API_URL, ExampleApi

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
# File -> page, width and height of the window, dark.
PICTURES = {
    "console-overview.webp": ("/", 1200, 860, False),
    "console-failed-job.webp": (f"/jobs/{FAILED['requestId']}", 1200, 1120, False),
    "console-dark.webp": (f"/jobs/{FAILED['requestId']}", 1200, 1120, True),
    "console-phone.webp": (f"/jobs/{FAILED['requestId']}", 400, 860, False),
}


def main() -> int:
    """Make all pictures; the exit code is 1 without a Chromium."""
    program = chromium()
    if program is None:
        print(f"there is no {', '.join(PROGRAMS)} on the PATH; install Debian's package chromium", file=sys.stderr)
        return 1
    console = Console(
        ExampleApi(), Place("amplify-jobs", detail="eu-west-1", zone=UTC, api_url=API_URL), now=lambda: NOW
    )
    server = ConsoleServer(console, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    FOLDER.mkdir(exist_ok=True)
    with open_browser(program) as browser, browser.tab() as tab:
        tab.send("Page.addScriptToEvaluateOnNewDocument", source=f"Date.now = () => {int(NOW.timestamp() * 1000)}")
        tab.goto(server.address)
        for name, (path, width, height, is_dark) in PICTURES.items():
            tab.show_as(width=width, height=height, is_dark=is_dark, scale=1.4)
            _take(tab, f"http://127.0.0.1:{server.door.port}{path}", FOLDER / name)
    server.shutdown()
    server.server_close()
    console.close()
    return 0


def _take(tab: Tab, address: str, file: Path) -> None:
    tab.goto(address)
    tab.evaluate("document.fonts.ready.then(() => true)")
    tab.screenshot(file, is_whole=False)
    print(f"{file.relative_to(FOLDER.parents[1])}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
