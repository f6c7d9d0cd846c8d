"""AWS's own generators of UI code and of models, which run under Node.

Node is the user's: it is looked for on the PATH and never installed. The generators are npm packages, pinned by the
lock file beside this module, which npm puts here when they are first needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.processes import Processes, StoppedError, TimedOutError

log = logging.getLogger(__name__)
HERE = Path(__file__).parent
LOCK_FILE = HERE / "package-lock.json"
READY = HERE / "node_modules" / ".ready"
OLDEST_NODE = 20
# A form takes the generator about half a second, on a machine that has nothing else to do.
TIME_LIMIT_SECONDS = 300.0
INSTALL_LIMIT_SECONDS = 600.0
INSTALLATION = "Installing AWS's code generators with npm, once: 283 MB in local/codegen/node_modules"
# How much of what a failed program printed is worth repeating.
LAST_CHARACTERS = 1000


class GeneratorError(Exception):
    """The generator could not do its work; the message says why, and what to do about it."""


@dataclass(frozen=True)
class GeneratedFile:
    """A file of generated code, and the schema (a form, the theme, the index, …) that it is of."""

    file_name: str
    schema_name: str


@dataclass(frozen=True)
class SchemaError:
    """Why there is no code for one schema."""

    schema_name: str
    error: str


@dataclass(frozen=True)
class UiCode:
    """What a codegen job brought; `dependencies` are as the API's CodegenDependency."""

    files: tuple[GeneratedFile, ...]
    errors: tuple[SchemaError, ...]
    dependencies: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class GeneratedModels:
    """The models' texts by file name, and the introspection schema as JSON."""

    files: Mapping[str, str]
    introspection_schema: str


class Generator:
    """Runs the generators, one program for each call. Calls may come from several threads; `stop` ends them all."""

    def __init__(self, *, path: str | None = None, time_limit: float = TIME_LIMIT_SECONDS) -> None:
        self._path = path
        self._time_limit = time_limit
        self._lock = threading.Lock()
        self._running: set[Processes] = set()
        self._stopped = False

    def generate_ui(self, job: Mapping[str, Any], folder: Path) -> UiCode:
        """Write the code for a codegenJobToCreate of StartCodegenJob into a folder. Raises GeneratorError."""
        outcome = self._run("generate_ui.mjs", json.dumps(job), folder)
        files = tuple(GeneratedFile(entry["fileName"], entry["schemaName"]) for entry in outcome["files"])
        errors = tuple(SchemaError(entry["schemaName"], entry["error"]) for entry in outcome["errors"])
        return UiCode(files, errors, tuple(outcome["dependencies"]))

    def generate_models(self, schema: str) -> GeneratedModels:
        """Make the models of a GraphQL schema. Raises GeneratorError, also for a schema that has none."""
        outcome = self._run("generate_models.mjs", schema)
        if "error" in outcome:
            raise GeneratorError(outcome["error"])
        return GeneratedModels(outcome["models"], outcome["modelIntrospectionSchema"])

    def hindrance(self) -> str | None:
        """Say what is to be installed before the generators can run here; None if nothing is."""
        try:
            self._node()
        except GeneratorError as error:
            return str(error)
        return None

    def stop(self) -> None:
        """End what runs, and let nothing start any more."""
        with self._lock:
            self._stopped = True
            for processes in self._running:
                processes.stop()

    def _run(self, script: str, text: str, *arguments: Path) -> dict[str, Any]:
        node = self._node()
        if not self.is_installed():
            # A job takes a minute longer for it.
            log.warning("%s ...", INSTALLATION)
            self.install()
        with tempfile.TemporaryDirectory(prefix="codegen-") as temporary:
            source, outcome = Path(temporary, "input"), Path(temporary, "outcome.json")
            source.write_text(text, encoding="utf-8")
            command = [node, str(HERE / script), str(source), *map(str, arguments), str(outcome)]
            self._program(f"AWS's generator ({script})", command, self._time_limit)
            result: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
            return result

    def _node(self) -> str:
        """Find a Node that is new enough."""
        requirement = f"Node {OLDEST_NODE} or newer, which AWS's code generators run under"
        node = shutil.which("node", path=self._path)
        if node is None:
            raise GeneratorError(
                f"There is no node on the PATH: install {requirement} (https://nodejs.org), and try again"
            )
        output = self._program("node --version", [node, "--version"], self._time_limit)
        version = re.match(r"v(\d+)\.", output)
        if version is None or int(version[1]) < OLDEST_NODE:
            raise GeneratorError(
                f"{node} is {output.strip()}: install {requirement} (https://nodejs.org), and try again"
            )
        return node

    def is_installed(self) -> bool:
        """Say whether the packages of the lock file are here."""
        return (
            READY.exists() and READY.read_text(encoding="ascii") == hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
        )

    def install(self) -> None:
        """Have npm put the packages of the lock file here, unless they are there. Raises GeneratorError."""
        # Another local cloud on this machine may be at it; a thread of this one too, since each opens the file anew.
        with LOCK_FILE.open("rb") as locked:
            fcntl.flock(locked, fcntl.LOCK_EX)
            if self.is_installed():
                return
            npm = shutil.which("npm", path=self._path)
            if npm is None:
                raise GeneratorError(
                    "There is no npm on the PATH to install AWS's code generators with: it comes with Node "
                    "(https://nodejs.org); install it, and try again"
                )
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            self._program("npm ci", [npm, "ci", *options], INSTALL_LIMIT_SECONDS)
            READY.write_text(_lock_hash(), encoding="ascii")

    def _program(self, name: str, command: list[str], time_limit: float) -> str:
        """Run a program to its end, and give what it printed."""
        processes = Processes(deadline=time.monotonic() + time_limit)
        printed: list[bytes] = []
        with self._lock:
            if self._stopped:
                raise GeneratorError(f"{name} was not started, since the local cloud is stopping")
            self._running.add(processes)
        environment = dict(os.environ) if self._path is None else {**os.environ, "PATH": self._path}
        try:
            code = processes.run(command, cwd=HERE, env=environment, output=printed.append)
        except TimedOutError:
            raise GeneratorError(f"{name} did not end within {time_limit:g} seconds") from None
        except StoppedError:
            raise GeneratorError(f"{name} was stopped with the local cloud") from None
        except OSError as error:
            raise GeneratorError(f"{name} could not be run: {error.strerror}") from error
        finally:
            with self._lock:
                self._running.discard(processes)
        text = b"".join(printed).decode("utf-8", "replace")
        if code != 0:
            raise GeneratorError(f"{name} failed with exit code {code}: {text[-LAST_CHARACTERS:].strip()}")
        return text


def _lock_hash() -> str:
    return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
