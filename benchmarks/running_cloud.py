"""A local cloud in a process of its own, as `make local` starts it, on free ports."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent
HOST = "127.0.0.1"
READY_WITHIN_SECONDS = 120.0
ASK_EVERY_SECONDS = 0.01
STOPPED_WITHIN_SECONDS = 30.0

REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local"}


class CloudNotReadyError(Exception):
    """The local cloud ended, or did not answer in time, before it was ready."""


@dataclass(frozen=True)
class RunningCloud:
    """A local cloud that is ready; `seconds_to_ready` are from the process's start to GET /health 200."""

    endpoint_url: str
    http_port: int
    seconds_to_ready: float


@contextlib.contextmanager
def running_cloud(folder: Path, parameters: Mapping[str, str] | None = None) -> Iterator[RunningCloud]:
    """Start a local cloud that keeps its state in `folder`, and stop it. Raises CloudNotReadyError."""
    arguments = [word for name, value in (parameters or {}).items() for word in ("--parameter", f"{name}={value}")]
    aws_port, http_port = free_port(), free_port()
    log = folder / "local-cloud.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--state-dir", str(folder / "state"), *arguments],
            cwd=PROJECT,
            env={**os.environ, "LOCAL_AWS_PORT": str(aws_port), "LOCAL_HTTP_PORT": str(http_port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        while not _healthy(http_port):
            if process.poll() is not None or time.perf_counter() - started > READY_WITHIN_SECONDS:
                text = log.read_text(encoding="utf-8", errors="replace")
                raise CloudNotReadyError(f"the local cloud did not become ready; it said:\n{text}")
            time.sleep(ASK_EVERY_SECONDS)
        seconds = time.perf_counter() - started
        yield RunningCloud(f"http://{HOST}:{aws_port}", http_port, seconds)
    finally:
        process.terminate()
        try:
            process.wait(STOPPED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def function_variables(cloud: RunningCloud) -> Mapping[str, str]:
    """What the platform sets for every function, beyond the template's variables."""
    return {
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _healthy(http_port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, http_port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
