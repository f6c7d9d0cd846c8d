"""`make smoke` against the local cloud: all holds, or it says what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_jobs_cli import cli
from smoke.__main__ import main
from tests.support.team import SECRET, SECRET_NAME, Team

pytestmark = pytest.mark.thorough

KEY = "d2hhdCBzaWducyBhIG1lc3NhZ2U="
SECRETS = {
    "github": SECRET,
    "gitlab": f"whsec_{KEY}",
    "bitbucket": "a secret of Bitbucket's",
    "bitbucket-server": "user:of-our-server",
    "gitea": "a secret of Gitea's",
    "forgejo": "a secret of Forgejo's",
    "azure-devops": "user:of-azure-devops",
    "standard": KEY,
}


@pytest.fixture(scope="module")
def stack(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A stack with a source of every provider."""
    names = {name: f"/amplify-jobs/secrets/{name}" for name in SECRETS}
    assert names["github"] == SECRET_NAME
    for name, value in SECRETS.items():
        team.session.client("ssm").put_parameter(Name=names[name], Type="SecureString", Value=value, Overwrite=True)
    file = tmp_path_factory.mktemp("routes") / "routes.yaml"
    sources = {name: {"provider": name, "secrets": [parameter]} for name, parameter in names.items()}
    when = {"push": {"repository": "acme/smoke"}}
    request = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}}
    file.write_text(yaml.safe_dump({"sources": sources, "routes": {"smoke": {"when": when, "request": request}}}))
    assert cli.main(["routes", "push", str(file), "--yes", "--no-lookup"]) == 0
    return team


def smoke(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run it, and give the exit code and the findings by check."""
    capsys.readouterr()
    code = main(["--json", *arguments])
    shown = capsys.readouterr().out
    assert not [secret for secret in SECRETS.values() if secret in shown]
    assert "X-Amz-Signature" not in shown
    return code, {one["check"]: one for one in json.loads(shown)["findings"]}


def by_verdict(findings: dict[str, dict[str, Any]], verdict: str) -> set[str]:
    return {check for check, one in findings.items() if one["verdict"] == verdict}


def test_all_holds_and_nothing_stays_but_the_rejected_request(stack: Team, capsys: pytest.CaptureFixture[str]) -> None:
    code, findings = smoke(capsys)
    assert by_verdict(findings, "fail") == set(), findings
    assert code == 0
    assert by_verdict(findings, "not provable here") == {"alarms", "dead-letter queue's policy"}
    for name in SECRETS:
        assert {f"secret of {name}", f"signed delivery to {name}", f"unsigned delivery to {name}"} <= findings.keys()
    left = stack.session.client("s3").list_object_versions(Bucket=stack.outputs["bucketName"], Prefix="smoke/")
    assert left.get("Versions", []) + left.get("DeleteMarkers", []) == []
    executions = stack.stepfunctions.list_executions(stateMachineArn=stack.outputs["stateMachineArn"])["executions"]
    (request_id,) = [one["name"] for one in executions]
    assert stack.told(request_id, "Job Rejected")["outcome"] == "REJECTED"


def test_it_says_what_is_broken(stack: Team, capsys: pytest.CaptureFixture[str]) -> None:
    ssm, events = stack.session.client("ssm"), stack.session.client("events")
    bus, parameter = stack.outputs["busName"], "/amplify-jobs/secrets/gitea"
    ssm.delete_parameter(Name=parameter)
    events.disable_rule(Name="amplify-jobs-job-requested", EventBusName=bus)
    try:
        code, findings = smoke(capsys, "--patience", "3")
    finally:
        events.enable_rule(Name="amplify-jobs-job-requested", EventBusName=bus)
        ssm.put_parameter(Name=parameter, Type="SecureString", Value=SECRETS["gitea"])
    assert code == 1
    failed = by_verdict(findings, "fail")
    assert failed >= {"secret of gitea", "rules of the stack's bus", "request that can't succeed"}
    # The function may still hold the secret, or miss it as well.
    assert failed <= {
        "secret of gitea",
        "unsigned delivery to gitea",
        "rules of the stack's bus",
        "request that can't succeed",
    }
    assert parameter in findings["secret of gitea"]["sentence"]


def test_a_fault_of_the_bucket_is_told(stack: Team, capsys: pytest.CaptureFixture[str]) -> None:
    stack.inject_fault(
        service="s3", operation="PutObject", fault="refuse", code="InternalError", message="No", status=500, times=9
    )
    code, findings = smoke(capsys)
    assert code == 1
    assert by_verdict(findings, "fail") == {"artifact's address"}
    assert "InternalError" in findings["artifact's address"]["sentence"]


@pytest.mark.parametrize("policy", ["ReaderPolicy", "OperatorPolicy"])
def test_what_the_caller_may_not_look_at_is_no_failure(
    stack: Team, policy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in stack.cloud.credentials(policy).variables().items():
        monkeypatch.setenv(name, value)
    code, findings = smoke(capsys)
    assert by_verdict(findings, "fail") == set(), findings
    assert code == 0
    unproven = by_verdict(findings, "not provable here")
    if policy == "OperatorPolicy":
        assert unproven == {"alarms", "dead-letter queue's policy"}
    else:
        assert "signed delivery to github" in unproven


def test_a_stack_that_is_not_there(stack: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, findings = smoke(capsys, "--stack", "nowhere")
    assert code == 1
    assert by_verdict(findings, "fail") == {"stack's outputs"}
    assert main(["--stack", "nowhere"]) == 1
    assert "1 pass, 1 fail, 0 not provable here." in capsys.readouterr().out


def test_a_wrong_call_ends_with_2() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--patience", "soon"])
    assert ended.value.code == 2


def test_a_request_that_the_bus_may_not_make_is_rejected_as_well(
    stack: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "routes.yaml"
    when = {"push": {"repository": "acme/smoke"}}
    request = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}}
    routes = {"smoke": {"when": when, "request": request}}
    file.write_text(yaml.safe_dump({"bus": {"allow": {"routes": ["smoke"]}}, "routes": routes}))
    assert cli.main(["routes", "push", str(file), "--yes", "--no-lookup"]) == 0
    stack.kill("ReceiveEventFunction")
    code, findings = smoke(capsys)
    assert findings["request that can't succeed"]["verdict"] == "pass", findings
    assert code == 0
