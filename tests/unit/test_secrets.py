"""When secrets are read from SSM, and that a wrong signature can't make us read them often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from amplify_jobs.aws_http import AwsHttp, AwsRefusal
from amplify_jobs.errors import NotAuthentic, ServiceTrouble
from amplify_jobs.secrets import SECONDS_BETWEEN_READS, Secrets

NAMES = ("/amplify-jobs/secrets/github",)


class FakeSsm(AwsHttp):
    """SSM with the parameters that a test gives it."""

    def __init__(self, **values: str) -> None:
        super().__init__("eu-west-1")
        self.values = {f"/amplify-jobs/secrets/{name}": value for name, value in values.items()}
        self.reads: list[str] = []
        self.refusal: str | None = None

    def call(self, service: str, target: str, version: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert (service, target, version) == ("ssm", "AmazonSSM.GetParameter", "1.1")
        assert parameters["WithDecryption"] is True
        self.reads.append(parameters["Name"])
        if self.refusal or parameters["Name"] not in self.values:
            raise AwsRefusal(self.refusal or "ParameterNotFound", "")
        return {"Parameter": {"Value": self.values[parameters["Name"]]}}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def accepts(right: str) -> Any:
    def verify(secrets: Sequence[str]) -> None:
        if right not in secrets:
            raise NotAuthentic("not one of these")

    return verify


def test_secrets_are_read_once() -> None:
    ssm = FakeSsm(github="s")
    secrets = Secrets(ssm, Clock())
    for _ in range(3):
        secrets.verify(NAMES, accepts("s"))
    assert len(ssm.reads) == 1


def test_a_rotated_secret_is_found_by_reading_again() -> None:
    ssm, clock = FakeSsm(github="old"), Clock()
    secrets = Secrets(ssm, clock)
    secrets.verify(NAMES, accepts("old"))
    ssm.values[NAMES[0]] = "new"
    clock.now += SECONDS_BETWEEN_READS
    secrets.verify(NAMES, accepts("new"))
    assert len(ssm.reads) == 2


def test_wrong_signatures_read_again_at_most_once_a_minute() -> None:
    ssm, clock = FakeSsm(github="s"), Clock()
    secrets = Secrets(ssm, clock)
    for _ in range(180):
        with pytest.raises(NotAuthentic):
            secrets.verify(NAMES, accepts("another"))
        clock.now += 1
    assert len(ssm.reads) == 3


def test_one_of_two_parameters_may_be_missing() -> None:
    ssm = FakeSsm(new="n")
    Secrets(ssm, Clock()).verify(("/amplify-jobs/secrets/old", "/amplify-jobs/secrets/new"), accepts("n"))


def test_without_any_secret_it_is_our_trouble_that_names_the_parameter() -> None:
    with pytest.raises(ServiceTrouble, match=NAMES[0]):
        Secrets(FakeSsm(), Clock()).verify(NAMES, accepts("s"))


def test_a_refusal_of_ssm_is_our_trouble() -> None:
    ssm = FakeSsm(github="s")
    ssm.refusal = "AccessDeniedException"
    with pytest.raises(ServiceTrouble, match="AccessDeniedException"):
        Secrets(ssm, Clock()).verify(NAMES, accepts("s"))
