"""The commands of docs/sam-local.md, and what a machine needs to run them."""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
X86_64 = platform.machine().lower() in {"x86_64", "amd64"}
IMAGE = f"public.ecr.aws/lambda/python:3.13-{'x86_64' if X86_64 else 'arm64'}"
# samconfig.toml's default environment builds for arm64.
CONFIG_ENV = "x86_64" if X86_64 else "default"
PATIENCE_SECONDS = 300


class MissingError(Exception):
    """What this machine lacks."""


@dataclass(frozen=True)
class Sam:
    """The SAM CLI in the project's folder; `environment` is its process's."""

    executable: str
    environment: Mapping[str, str]

    @classmethod
    def at_hand(cls) -> Sam:
        """Raises MissingError if there is no Docker daemon, no image of the runtime, no SAM CLI or no Python 3.13."""
        if not _works("docker", "info"):
            raise MissingError("no Docker daemon answers `docker info`")
        sam = shutil.which("sam", path=f"{ROOT / '.venv-tools' / 'bin'}{os.pathsep}{os.environ['PATH']}")
        if sam is None:
            raise MissingError("the SAM CLI is not installed (make .venv-tools/ready)")
        folder = next((python.parent for python in _pythons() if _works(str(python), "-m", "pip", "--version")), None)
        if folder is None:
            raise MissingError("`sam build` needs a python3.13 with pip on PATH")
        if not _works("docker", "image", "inspect", IMAGE) and not _works("docker", "pull", "--quiet", IMAGE):
            raise MissingError(f"the image {IMAGE} is not there and can't be pulled")
        environment = {
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_SKIP_PULL_IMAGE": "1",
            # Nobody's own credentials go into the containers.
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        return cls(sam, environment)

    def build(self) -> None:
        self._run("build")

    def invoke(self, function: str, event: Path, env_vars: Path) -> Any:
        """Give a function's answer, which is its error's JSON if it raised: the exit code is 0 in either case."""
        out = self._run("local", "invoke", function, "--event", str(event), "--env-vars", str(env_vars))
        return json.loads(out.strip().splitlines()[-1])

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.executable, *arguments, "--config-env", CONFIG_ENV],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        log.info("sam %s\n%s", arguments[0], done.stderr)
        return done.stdout


def _pythons() -> Iterator[Path]:
    if result := shutil.which("python3.13"):
        yield Path(result)
    # pyenv's own python3.13 refuses to run where another version is chosen.
    yield from sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.13*/bin/python3.13"))


def _works(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
