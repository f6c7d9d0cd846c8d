"""What docs/sam-local.md says to start before `sam local invoke`; every test is skipped where that can't be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sam_commands import PATIENCE_SECONDS, ROOT, MissingError, Sam
from tests.support.sam_running import Running
from tests.support.waiting import eventually

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.sam_local)


@pytest.fixture(scope="session")
def sam() -> Sam:
    try:
        return Sam.at_hand()
    except MissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def running(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The built functions beside a local cloud that has the app of the examples, its first job done."""
    sam.build()
    folder = tmp_path_factory.mktemp("sam-local")
    # The Region of the committed env file, whatever the developer's own is.
    environment = {
        **os.environ,
        "AWS_REGION": "eu-west-1",
        "LOCAL_AWS_PORT": "0",
        "LOCAL_HTTP_PORT": "0",
        "LOCAL_HOST": "docker",
    }
    command = [sys.executable, "-m", "local", "--state-dir", str(folder / "state")]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as cloud:
        try:
            assert cloud.stdout is not None
            text = "".join(iter(cloud.stdout.readline, "ready\n"))
            result = re.search(r"AWS endpoint +(\S+):(\d+)", text)
            assert result is not None, text
            endpoint_url = f"{result[1]}:{result[2]}"
            subprocess.run(
                [sys.executable, "-m", "demo.examples", "--folder", str(folder / "examples")],
                cwd=ROOT,
                env={**environment, "AWS_ENDPOINT_URL": endpoint_url},
                timeout=PATIENCE_SECONDS,
                check=True,
            )
            env_vars = folder / "env.json"
            env_vars.write_text((ROOT / "local" / "sam-env.json").read_text().replace(":4566", f":{result[2]}"))
            names = json.loads(env_vars.read_text())["Parameters"]
            now_running = Running(sam, endpoint_url, env_vars, names, folder)
            eventually(lambda: now_running.ended_executions() == ["SUCCEEDED"], seconds=PATIENCE_SECONDS)
            yield now_running
            now_running.close()
        finally:
            cloud.terminate()
