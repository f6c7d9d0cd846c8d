"""What `make security` leaves out has a reason, and what the reason speaks of is so."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.template.loader import Pseudo, Template

REPOSITORY = Path(__file__).parents[2]
CONFIGURATION = (REPOSITORY / ".checkov.yaml").read_text(encoding="utf-8")
SKIPPED: list[str] = yaml.safe_load(CONFIGURATION)["skip-check"]
CHECKOV = REPOSITORY / ".venv-checkov" / "bin" / "checkov"
PSEUDO = Pseudo(account="123456789012", region="eu-west-1", stack_name="amplify-jobs")
RESOURCES = Template(REPOSITORY / "template.yaml", {}, PSEUDO).resources
FILES = [REPOSITORY / "template.yaml", *sorted((REPOSITORY / "deployment").glob("*.yaml"))]


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource.properties for name, resource in RESOURCES.items() if resource.type == kind}


def test_each_skipped_check_has_a_reason_beside_it() -> None:
    reasons = dict(re.findall(r"^  - (\S+) # (\S+(?: \S+){4,}\.)$", CONFIGURATION, re.M))
    assert list(reasons) == SKIPPED


@pytest.mark.skipif(not CHECKOV.exists(), reason="`make security` sets checkov up")
def test_each_skipped_check_would_fail(tmp_path: Path) -> None:
    command = [
        str(CHECKOV),
        "--framework",
        "cloudformation",
        "--skip-download",
        "--skip-results-upload",
        "--quiet",
        "-o",
        "json",
    ]
    # Outside the project, where checkov finds no configuration, and without the settings that it reads from variables.
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    process = subprocess.run(
        [*command, "--check", ",".join(SKIPPED), "--file", *map(str, FILES)],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1, process.stderr
    failed = {check["check_id"] for check in json.loads(process.stdout)["results"]["failed_checks"]}
    assert failed == set(SKIPPED)


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_each_queue_is_encrypted(name: str) -> None:
    assert of_type("AWS::SQS::Queue")[name]["SqsManagedSseEnabled"] is True


def test_only_the_topic_of_alarms_is_not_encrypted() -> None:
    topics = of_type("AWS::SNS::Topic")
    assert [name for name, topic in topics.items() if "KmsMasterKeyId" not in topic] == ["AlarmsTopic"]


def test_concurrency_can_be_kept_for_deliveries() -> None:
    functions = of_type("AWS::Lambda::Function")
    assert "ReservedConcurrentExecutions" in functions["ReceiveWebhookFunction"]
