"""`amplify-jobs routes`: what it prints, where it goes, and how it fails, against moto."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.cli import main
from tests.cli.conftest import OUTPUTS
from tests.support.aws_stand_in import AwsStandIn

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm.client import SSMClient

EXAMPLE = Path(__file__).parents[2] / "routes.yaml"
EVENT = Path(__file__).parents[2] / "events" / "receive_webhook.push.json"
SECRET = "/amplify-jobs/secrets/github"
NO_CHANGE = "No change: the stack has these routes already.\n"
NIGHTLY = """
  nightly:
    when: {schedule: {expression: "cron(0 3 * * ? *)", timezone: Europe/Berlin}}
    request: {operation: start_job, parameters: {appId: d1a2b3c4d5e6, branchName: main, jobType: RELEASE}}
"""


def broken(tmp_path: Path) -> str:
    file = tmp_path / "broken.yaml"
    file.write_text(EXAMPLE.read_text().replace("d1a2b3c4d5e6", "x").replace("45", "0"))
    return str(file)


class TestCheck:
    def test_a_good_file_is_said_to_be_good(self, capsys: pytest.CaptureFixture[str], aws: AwsStandIn) -> None:
        assert main(["routes", "check", str(EXAMPLE)]) == 0
        assert capsys.readouterr().out == f"{EXAMPLE}: 1 source and 1 route, no faults.\n"
        assert aws.calls == []

    def test_every_fault_has_its_line(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        assert main(["routes", "check", broken(tmp_path)]) == 1
        written = capsys.readouterr()
        assert written.out == ""
        app, _, app_mark, minutes, line, mark, count = written.err.splitlines()
        assert ":12:57: routes.web.request.parameters.appId: " in app
        assert app_mark.strip() == "^"
        assert ":13:21: routes.web.timeoutMinutes: " in minutes
        assert (line.strip(), mark.strip()) == ("timeoutMinutes: 0", "^")
        assert line.index("0") == mark.index("^")
        assert count.endswith("broken.yaml: 2 faults.")

    def test_secrets_of_another_stack_are_a_fault(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["routes", "check", str(EXAMPLE), "--stack", "other"]) == 1
        assert "use /other/secrets/github" in capsys.readouterr().err

    def test_a_missing_file_is_one_line(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        assert main(["routes", "check", str(tmp_path / "none.yaml")]) == 1
        assert capsys.readouterr().err.endswith("none.yaml: can't be read: No such file or directory\n")

    def test_it_is_read_from_standard_input(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EXAMPLE.read_bytes())))
        assert main(["routes", "check", "-"]) == 0
        assert capsys.readouterr().out == "-: 1 source and 1 route, no faults.\n"

    def test_the_json_has_what_the_lines_have(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        file = broken(tmp_path)
        assert main(["routes", "check", file, "--json"]) == 1
        written = capsys.readouterr()
        document = json.loads(written.out)
        assert written.err == ""
        assert {name: document[name] for name in ("file", "valid", "sources", "routes", "warnings")} == {
            "file": file,
            "valid": False,
            "sources": None,
            "routes": None,
            "warnings": [],
        }
        (_, minutes) = document["faults"]
        assert minutes == {
            "line": next(n for n, line in enumerate(EXAMPLE.read_text().splitlines(), 1) if "timeoutMinutes" in line),
            "column": 21,
            "path": "routes.web.timeoutMinutes",
            "message": "0 is too low; use a whole number from 1 to 1440: "
            "how many minutes the job may take from leaving Amplify's queue",
            "excerpt": "    timeoutMinutes: 0",
        }

    def test_the_json_of_a_good_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["routes", "check", str(EXAMPLE), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["valid"], document["sources"], document["routes"], document["faults"]) == (True, 1, 1, [])

    @pytest.mark.parametrize("arguments", [[], ["routes"]])
    def test_without_a_command_the_help_is_shown(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        shown = capsys.readouterr().err
        assert "positional arguments:" in shown
        assert "error:" not in shown

    def test_the_version_is_that_of_the_package(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["--version"])
        assert ended.value.code == 0
        assert capsys.readouterr().out == f"amplify-jobs {version('amplify-jobs')}\n"

    @pytest.mark.parametrize("arguments", [[], ["routes"], ["routes", "check"], ["routes", "chekc", "f"], ["x"]])
    def test_a_wrong_call_exits_with_2(self, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert "usage: amplify-jobs" in capsys.readouterr().err


@pytest.mark.usefixtures("_stack")
class TestPush:
    def test_the_object_is_what_the_functions_read(self, s3: S3Client) -> None:
        assert main(["routes", "push", str(EXAMPLE)]) == 0
        content = s3.get_object(Bucket="bucket", Key="routes.json")["Body"].read()
        assert Routes.model_validate_json(content).routes["web"].timeout_minutes == 45

    def test_it_says_version_addresses_and_how_to_make_missing_secrets(
        self, capsys: pytest.CaptureFixture[str], s3: S3Client
    ) -> None:
        main(["routes", "push", str(EXAMPLE)])
        version = s3.head_object(Bucket="bucket", Key="routes.json")["VersionId"]
        out = capsys.readouterr().out
        assert f"Pushed 1 source and 1 route to s3://bucket/routes.json, version {version}." in out
        assert "github: https://api.example.com/webhooks/github" in out
        assert f"aws ssm put-parameter --type SecureString --name {SECRET} --region eu-west-1 --value" in out

    def test_the_printed_command_makes_the_secret_without_showing_it(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        main(["routes", "push", str(EXAMPLE)])
        command = next(line for line in capsys.readouterr().out.splitlines() if "put-parameter" in line)
        # An `aws` that only writes down how it was called.
        (tmp_path / "aws").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/called\n')
        (tmp_path / "aws").chmod(0o755)
        subprocess.run(["sh", "-c", command], check=True, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        called = (tmp_path / "called").read_text().splitlines()
        value = called[called.index("--value") + 1]
        assert len(bytes.fromhex(value)) == 32
        assert value not in command

    @pytest.mark.parametrize(
        ("provider", "value"),
        [("standard", "whsec_$(openssl rand -base64 32)"), ("azure-devops", "amplify-jobs:$(openssl rand -hex 32)")],
    )
    def test_a_secret_is_of_the_form_that_its_provider_wants(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, provider: str, value: str
    ) -> None:
        file = tmp_path / "routes.yaml"
        file.write_text(EXAMPLE.read_text().replace("provider: github", f"provider: {provider}"))
        assert main(["routes", "push", str(file)]) == 0
        assert f'--value "{value}"' in capsys.readouterr().out

    def test_a_secret_that_is_there_is_neither_asked_for_nor_shown(
        self, capsys: pytest.CaptureFixture[str], ssm: SSMClient
    ) -> None:
        ssm.put_parameter(Name=SECRET, Type="SecureString", Value="s3cret")
        main(["routes", "push", str(EXAMPLE)])
        out = capsys.readouterr().out
        assert "put-parameter" not in out
        assert "s3cret" not in out

    def test_a_broken_file_changes_nothing(self, aws: AwsStandIn, tmp_path: Path) -> None:
        aws.calls.clear()
        assert main(["routes", "push", broken(tmp_path)]) == 1
        assert aws.calls == []

    def test_the_local_cloud_needs_neither_region_nor_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        assert main(["routes", "push", str(EXAMPLE)]) == 0

    def test_another_stack_has_other_outputs(
        self, capsys: pytest.CaptureFixture[str], ssm: SSMClient, tmp_path: Path
    ) -> None:
        ssm.put_parameter(
            Name="/blue/outputs", Type="String", Value=json.dumps({**OUTPUTS, "apiUrl": "https://blue.example.com"})
        )
        file = tmp_path / "routes.yaml"
        file.write_text(EXAMPLE.read_text().replace("/amplify-jobs/", "/blue/"))
        assert main(["routes", "push", str(file), "--stack", "blue"]) == 0
        assert "https://blue.example.com/webhooks/github" in capsys.readouterr().out


@pytest.mark.usefixtures("_stack")
class TestDifference:
    def pushed(self, capsys: pytest.CaptureFixture[str], file: Path, text: str) -> str:
        """What a push of routes says before it stores them."""
        file.write_text(text)
        assert main(["routes", "push", str(file), "--yes"]) == 0
        return capsys.readouterr().out.partition("Pushed")[0]

    def test_it_is_shown_against_what_was_pushed_before(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        file, text = tmp_path / "routes.yaml", EXAMPLE.read_text()
        assert self.pushed(capsys, file, text) == "+ source github\n+ route web\n"
        assert self.pushed(capsys, file, text).startswith(NO_CHANGE)
        shorter = text.replace("timeoutMinutes: 45", "timeoutMinutes: 30")
        assert self.pushed(capsys, file, shorter) == "~ route web\n    timeoutMinutes: 45 -> 30\n"

    @pytest.mark.parametrize("content", [b"{}", b"no JSON", b"\xff"])
    def test_what_can_not_be_read_any_more_counts_as_none(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, s3: S3Client, content: bytes
    ) -> None:
        s3.put_object(Bucket="bucket", Key="routes.json", Body=content)
        difference = self.pushed(capsys, tmp_path / "routes.yaml", EXAMPLE.read_text())
        assert difference == "+ source github\n+ route web\n"

    def test_schedules_are_created_changed_and_removed_with_their_routes(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, scheduler: Any
    ) -> None:
        file, text = tmp_path / "routes.yaml", EXAMPLE.read_text()
        with_nightly = text + NIGHTLY
        assert "+ schedule nightly: cron(0 3 * * ? *) Europe/Berlin\n" in self.pushed(capsys, file, with_nightly)
        stored = scheduler.get_schedule(GroupName="amplify-jobs", Name="nightly")
        assert stored["Target"]["Arn"] == OUTPUTS["receiveEventFunctionArn"]
        assert stored["Target"]["DeadLetterConfig"]["Arn"] == OUTPUTS["deadLetterQueueArn"]
        assert self.pushed(capsys, file, with_nightly).startswith(NO_CHANGE)

        later = with_nightly.replace("cron(0 3", "cron(0 5")
        assert "~ schedule nightly: cron(0 5 * * ? *) Europe/Berlin\n" in self.pushed(capsys, file, later)
        stored = scheduler.get_schedule(GroupName="amplify-jobs", Name="nightly")
        assert stored["ScheduleExpression"] == "cron(0 5 * * ? *)"

        assert "- schedule nightly\n" in self.pushed(capsys, file, text)
        assert scheduler.list_schedules(GroupName="amplify-jobs")["Schedules"] == []

    def test_schedules_that_somebody_removed_come_back(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, scheduler: Any
    ) -> None:
        file, text = tmp_path / "routes.yaml", EXAMPLE.read_text() + NIGHTLY
        self.pushed(capsys, file, text)
        scheduler.delete_schedule(GroupName="amplify-jobs", Name="nightly")
        assert self.pushed(capsys, file, text).startswith("+ schedule nightly: cron(0 3 * * ? *) Europe/Berlin\n\n")


class TestExplain:
    def test_it_says_what_each_route_makes_of_an_example(
        self, capsys: pytest.CaptureFixture[str], aws: AwsStandIn
    ) -> None:
        assert main(["routes", "explain", str(EXAMPLE), str(EVENT)]) == 0
        out = capsys.readouterr().out
        assert "  web: matched, all conditions are met\n" in out
        assert '"branchName": "main"' in out
        assert aws.calls == []

    @pytest.mark.parametrize(
        ("content", "fault"),
        [(b"{", "is not JSON"), (b"\xff", "is not JSON"), (b"[]", "must be a JSON object"), (None, "can't be read")],
    )
    def test_an_event_that_is_none_is_one_line(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, fault: str
    ) -> None:
        file = tmp_path / "event.json"
        if content is not None:
            file.write_bytes(content)
        assert main(["routes", "explain", str(EXAMPLE), str(file)]) == 1
        written = capsys.readouterr().err
        assert written.count("\n") == 1
        assert fault in written

    def test_it_takes_the_body_that_the_host_sent(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = json.loads(EVENT.read_text())["body"].encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
        call = ["routes", "explain", str(EXAMPLE), "-", "--source", "github", "--header", "X-GitHub-Event: push"]
        assert main([*call, "--json"]) == 0
        (delivery,) = json.loads(capsys.readouterr().out)["deliveries"]
        assert (delivery["source"], delivery["ignored"], delivery["notes"]) == ("github", None, [])
        (entry,) = delivery["events"]
        assert entry["event"]["kind"] == "push"
        (decision,) = entry["decisions"]
        assert (decision["route"], decision["matched"]) == ("web", True)
        assert decision["request"]["parameters"]["branchName"] == "main"

    def test_a_header_without_a_value_is_a_wrong_call(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["routes", "explain", str(EXAMPLE), str(EVENT), "--header", "push"])
        assert ended.value.code == 2
        assert "'push' is not a header; use one like 'X-GitHub-Event: push'" in capsys.readouterr().err

    def test_one_standard_input_can_not_be_two_files(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["routes", "explain", "-", "-"]) == 1
        assert "use a file for the routes or for the event" in capsys.readouterr().err


class TestProgram:
    """The process itself: how it ends when a person or a pipe has enough."""

    def start(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        # What runs before the program marks the moment at which it is interrupted.
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @pytest.mark.parametrize(
        "interrupt",
        [
            "sys.meta_path.insert(0, type('F', (), {'find_spec': lambda _, name, *more: stop()})())",
            "sys.stdin = type('In', (), {'buffer': type('B', (), {'read': lambda _: stop()})()})()",
        ],
        ids=["while it is loaded", "while it reads"],
    )
    def test_an_interrupted_command_ends_without_a_traceback(self, interrupt: str) -> None:
        stop = "stop = lambda: signal.raise_signal(signal.SIGINT)"
        # A shell starts what runs in its background with interrupts ignored, and the tests with it.
        heed = "signal.signal(signal.SIGINT, signal.default_int_handler)"
        imports = "import signal, sys; from amplify_jobs_cli.__main__ import run"
        code = f"{imports}; {heed}; {stop}; {interrupt}; sys.exit(run())"
        with self.start(code, "routes", "check", "-") as process:
            assert process.stderr is not None
            assert (process.stderr.read(), process.wait(timeout=60)) == (b"", 130)

    def test_a_reader_that_has_enough_is_no_error(self) -> None:
        code = "import sys; from amplify_jobs_cli.__main__ import run; sys.exit(run())"
        with self.start(code, "routes", "check", "-") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            process.stdin.write(EXAMPLE.read_bytes())
            process.stdin.close()
            assert process.stderr.read() == b""
            assert process.wait(timeout=60) == 1

    def test_the_module_is_the_program(self) -> None:
        done = subprocess.run([sys.executable, "-m", "amplify_jobs_cli", "--version"], capture_output=True, check=True)
        assert done.stdout.startswith(b"amplify-jobs ")


def test_routes_that_any_source_could_start_are_warned_of(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    second = "  gitlab: {provider: gitlab, secrets: [/amplify-jobs/secrets/gitlab]}\n"
    text = EXAMPLE.read_text().replace("# When this event", second + "# When this event", 1)
    file.write_text(text)
    assert main(["routes", "check", str(file)]) == 0
    written = capsys.readouterr()
    assert "warning: routes.web: whoever may sign for any of github, gitlab can start this job; use" in written.err
    assert "no faults, 1 warning" in written.out
    assert main(["routes", "check", "--strict", str(file)]) == 1


def test_what_the_source_never_tells_is_warned_of(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(
        "routes:\n"
        "  web:\n"
        "    source: aws.codecommit\n"
        "    when: {push: {repository: web, paths: [apps/**]}}\n"
        "    request:\n"
        "      operation: start_job\n"
        "      parameters:\n"
        "        {appId: d1a2b3c4d5e6, branchName: main, jobType: RELEASE, jobReason: 'by {author}'}\n"
    )
    assert main(["routes", "check", str(file)]) == 0
    written = capsys.readouterr()
    assert "routes.web.when.push.paths: CodeCommit never tells which files a push changes" in written.err
    assert "routes.web.request.parameters.jobReason: CodeCommit never tells {author} of a push" in written.err
    assert "no faults, 2 warnings" in written.out


class TestTrouble:
    def fails(self, capsys: pytest.CaptureFixture[str]) -> str:
        assert main(["routes", "push", str(EXAMPLE)]) == 1
        written = capsys.readouterr()
        assert written.out == ""
        assert written.err.count("\n") == 1
        assert written.err.startswith("amplify-jobs: ")
        return written.err

    def test_no_stack(self, capsys: pytest.CaptureFixture[str], aws: AwsStandIn) -> None:
        assert f"no stack amplify-jobs at {aws.url}, Region eu-west-1; deploy it first" in self.fails(capsys)

    @pytest.mark.parametrize("value", ["no JSON", "[]", "{}"])
    def test_outputs_that_are_none(self, capsys: pytest.CaptureFixture[str], ssm: SSMClient, value: str) -> None:
        ssm.put_parameter(Name="/amplify-jobs/outputs", Type="String", Value=value)
        assert "does not hold a stack's outputs" in self.fails(capsys)

    def test_nobody_at_the_endpoint(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert "http://127.0.0.1:1" in self.fails(capsys)

    def test_no_credentials(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        assert "credentials" in self.fails(capsys)

    def test_no_region(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.delenv("AWS_REGION")
        assert "region" in self.fails(capsys)

    def test_no_bucket(self, capsys: pytest.CaptureFixture[str], ssm: SSMClient, scheduler: Any) -> None:
        scheduler.create_schedule_group(Name="amplify-jobs")
        ssm.put_parameter(Name="/amplify-jobs/outputs", Type="String", Value=json.dumps(OUTPUTS))
        assert "s3://bucket/routes.json can't be read" in self.fails(capsys)

    @pytest.mark.usefixtures("_stack")
    def test_no_scheduler(self, capsys: pytest.CaptureFixture[str], aws: AwsStandIn) -> None:
        aws.answers_left["scheduler"] = 0
        assert "schedules of group amplify-jobs can't be read" in self.fails(capsys)
