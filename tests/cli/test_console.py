"""`console`: the program serves pages of the stack's API to who has its address, and to nobody else."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from amplify_jobs.errors import AmplifyJobsError, ServiceTrouble
from amplify_jobs_cli.api import ApiRefusedError, JobsApi
from amplify_jobs_cli.cli import main
from amplify_jobs_cli.console_api import ConsoleApi
from amplify_jobs_console.api import ApiError
from tests.cli.conftest import OUTPUTS
from tests.support.jobs_api import JobsApiStandIn, serving_jobs_api, story

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient


@pytest.fixture
def served(ssm: SSMClient) -> Iterator[JobsApiStandIn]:
    with serving_jobs_api() as stand_in:
        stand_in.api.stories = [story("web-1")]
        outputs = {**OUTPUTS, "apiUrl": stand_in.url}
        ssm.put_parameter(Name="/team/outputs", Type="String", Value=json.dumps(outputs))
        yield stand_in


def test_the_console_shows_the_stack_to_who_has_its_address(served: JobsApiStandIn) -> None:
    command = [sys.executable, "-m", "amplify_jobs_cli", "console", "--stack", "team"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}) as process:
        assert process.stdout is not None
        name, _, address = process.stdout.readline().strip().partition(": ")
        assert name == "Console of team"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address.partition("?")[0])
        assert refused.value.code == 403
        refused.value.close()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with browser.open(address) as page:
            assert page.status == 200
        with browser.open(f"{address.partition('?')[0]}jobs/web-1") as page:
            shown = page.read().decode()
            assert "token=" not in page.url
        assert "amplify-jobs jobs show web-1 --stack team" in shown
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().endswith("Stopped.\n")
    assert process.returncode == 0


def test_a_port_in_use_is_named(served: JobsApiStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["console", "--stack", "team", "--port", str(port)]) == 1
    assert f"port {port} can't be used: Address already in use; choose another with --port" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["console", "--port", "70000"])
    assert "'70000' is not a port" in capsys.readouterr().err


class Failing:
    """The jobs API when it fails."""

    def __init__(self, error: AmplifyJobsError) -> None:
        self._error = error

    def get(self, path: str, query: Any = None) -> Any:
        raise self._error

    def post(self, path: str, body: Any) -> Any:
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (ApiRefusedError("need execute-api:Invoke", 403), 403, "These credentials may not do that"),
        (ApiRefusedError("no request web-9", 404), 404, "There is no such thing"),
        (ApiRefusedError("no such route", 422), 422, "The API refused the call"),
        (ApiRefusedError("a status without a name", 460), 460, "The API refused the call"),
        (ServiceTrouble("the jobs API does not answer"), 503, "The API does not answer as it should"),
    ],
)
def test_an_error_of_the_api_keeps_its_status_and_its_words(error: AmplifyJobsError, status: int, title: str) -> None:
    api = ConsoleApi(Failing(error))
    for method in (api.get, api.post):
        with pytest.raises(ApiError) as raised:
            method("/x", {})
        assert (raised.value.status, raised.value.title, raised.value.detail) == (status, title, str(error))


def test_calls_of_the_console_are_signed(served: JobsApiStandIn) -> None:
    session = boto3.Session("AKIATEST", "test", region_name="eu-west-1")
    ConsoleApi(JobsApi.connect(served.url, session)).get("/requests/web-1", {})
    assert "AKIATEST" in served.received[-1][2]
