"""A headless Chromium, driven over the DevTools protocol (https://chromedevtools.github.io/devtools-protocol)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_SECONDS = 30
_MOST_BYTES = 64 * 1024 * 1024


def chromium() -> str | None:
    """The path of a Chromium; None if this machine has none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Tab:
    """A page of the browser. `problems` are what its console and its network complained of."""

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket = socket
        self._session = session
        self._number = 0
        self._events: list[tuple[str, dict[str, Any]]] = []
        self.problems: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self._number += 1
        message = {"id": self._number, "sessionId": self._session, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._socket.recv(_PATIENCE_SECONDS))
        method, parameters = answer.get("method", ""), answer.get("params", {})
        self._events.append((method, parameters))
        match method:
            case "Runtime.exceptionThrown":
                self.problems.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                self.problems.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        return answer

    def _wait_for_load(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not any(method == "Page.loadEventFired" for method, _ in self._events):
            # A page that looks for news sends events forever.
            assert time.monotonic() < deadline, "no page was loaded"
            self._receive()

    def goto(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self._events.clear()
        result = self.send("Page.navigate", url=address)
        assert "errorText" not in result, f"{address}: {result['errorText']}"
        self._wait_for_load()

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, as if somebody had clicked before; promises are awaited."""
        options = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        result = self.send("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_until(self, expression: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"never true: {expression}\n{self.text()}"
            time.sleep(0.02)

    def click(self, selector: str) -> None:
        """Click in the middle of an element, or of its first line, as a mouse does."""
        quoted = json.dumps(selector)
        box = self.evaluate(
            f"(() => {{ const one = document.querySelector({quoted}); if (!one) return null; "
            "one.scrollIntoView({block: 'center'}); const box = one.getClientRects()[0]; "
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        assert box is not None, f"no {selector}\n{self.text()}"
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def follow(self, selector: str) -> None:
        """Click on something that opens a page, and wait until it is loaded."""
        self._events.clear()
        self.click(selector)
        self._wait_for_load()

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    def text(self) -> str:
        """The text that a person sees."""
        return str(self.evaluate("document.body.innerText"))

    def show_as(self, *, width: int, height: int = 900, is_dark: bool = False, scale: float = 1) -> None:
        """Set the size of the window and the colour scheme."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, file: Path, *, is_whole: bool = True) -> None:
        """Write a picture of the page, or of what the window shows of it; the file's name says in which format."""
        form = {"format": "webp", "quality": 85} if file.suffix == ".webp" else {"format": "png"}
        result = self.send("Page.captureScreenshot", **form, captureBeyondViewport=is_whole)
        file.write_bytes(base64.b64decode(result["data"]))


class Browser:
    """A running browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number -= 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(_PATIENCE_SECONDS))
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        """A new tab with cookies of its own."""
        context = self._send("Target.createBrowserContext")["browserContextId"]
        target = self._send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            yield Tab(self._socket, session)
        finally:
            self._send("Target.disposeBrowserContext", browserContextId=context)


@contextmanager
def open_browser(program: str) -> Iterator[Browser]:
    """Run a headless browser in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        options = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--no-first-run"]
        options += ["--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_devtools_address(Path(folder), process), max_size=_MOST_BYTES) as socket:
                yield Browser(socket)
        finally:
            process.terminate()
            process.wait(_PATIENCE_SECONDS)


def _devtools_address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    file, deadline = folder / "DevToolsActivePort", time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the browser ended with {process.returncode}"
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError("the browser did not open its port")
