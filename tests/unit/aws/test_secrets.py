"""When secrets are read from SSM, and that a wrong signature can't make us read them often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.aws.secrets import SECONDS_BETWEEN_READS, SECONDS_FRESH, Secrets
from amplify_jobs.aws.signed_http import PATIENT_SECONDS, AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import InvalidSignatureError, ServiceTrouble
from amplify_jobs.intake.message import UnverifiedDelivery
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.routing.routes import Routes, Source

NAMES = ("/amplify-jobs/secrets/gitlab",)
GET_PARAMETERS = JsonOperation("ssm", "AmazonSSM.GetParameters", "1.1", proof="Parameters", patience=PATIENT_SECONDS)


class FakeSsm(AwsHttp):
    """SSM with the parameters that a test gives it."""

    def __init__(self, **values: str) -> None:
        super().__init__("eu-west-1")
        self.values = {f"/amplify-jobs/secrets/{name}": value for name, value in values.items()}
        self.reads: list[list[str]] = []
        self.answer: dict[str, Any] | None = None
        self.refusal: str | None = None

    def call(self, operation: JsonOperation, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == GET_PARAMETERS
        assert parameters["WithDecryption"] is True
        names = parameters["Names"]
        self.reads.append(names)
        if self.answer is not None:
            return self.answer
        if self.refusal:
            raise AwsRefusalError(self.refusal, "")
        return {
            "Parameters": [{"Name": name, "Value": self.values[name]} for name in names if name in self.values],
            "InvalidParameters": [name for name in names if name not in self.values],
        }


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class OneSource:
    """The routes and the copies of sources: one source of GitLab, whose deliveries bear a secret as it is."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._source = Source(provider="gitlab", secrets=secrets)

    def current(self, *, fresh: bool = False) -> Routes:
        return Routes(sources={"gitlab": self._source}, routes={})

    def source(self, name: str) -> Source:
        return self._source


def verify(secrets: Secrets, names: tuple[str, ...], token: str) -> None:
    """Verify a delivery with this token as the functions do. Raises InvalidSignatureError."""
    source = OneSource(names)
    headers, body = {"X-Gitlab-Token": token}, b'{"object_kind": "note"}'
    delivery = UnverifiedDelivery(source="gitlab", headers=headers, body=body, received_at=datetime.now(UTC))
    Verifier(source, source, secrets).verify(delivery)


def test_secrets_are_read_once() -> None:
    ssm = FakeSsm(gitlab="s")
    secrets = Secrets(ssm, Clock())
    for _ in range(3):
        verify(secrets, NAMES, "s")
    assert len(ssm.reads) == 1


def test_a_rotated_secret_is_found_by_reading_again() -> None:
    ssm, clock = FakeSsm(gitlab="old"), Clock()
    secrets = Secrets(ssm, clock)
    verify(secrets, NAMES, "old")
    ssm.values[NAMES[0]] = "new"
    clock.now += SECONDS_BETWEEN_READS
    verify(secrets, NAMES, "new")
    assert len(ssm.reads) == 2


def test_wrong_signatures_read_again_at_most_once_a_minute() -> None:
    ssm, clock = FakeSsm(gitlab="s"), Clock()
    secrets = Secrets(ssm, clock)
    for _ in range(180):
        with pytest.raises(InvalidSignatureError):
            verify(secrets, NAMES, "another")
        clock.now += 1
    assert len(ssm.reads) == 3


def test_one_of_two_parameters_may_be_missing() -> None:
    ssm = FakeSsm(new="n")
    verify(Secrets(ssm, Clock()), ("/amplify-jobs/secrets/old", "/amplify-jobs/secrets/new"), "n")


def test_without_any_secret_it_is_our_trouble_that_names_the_parameter() -> None:
    with pytest.raises(ServiceTrouble, match=NAMES[0]):
        verify(Secrets(FakeSsm(), Clock()), NAMES, "s")


def test_a_refusal_of_ssm_is_our_trouble() -> None:
    ssm = FakeSsm(gitlab="s")
    ssm.refusal = "AccessDeniedException"
    with pytest.raises(ServiceTrouble, match="AccessDeniedException"):
        verify(Secrets(ssm, Clock()), NAMES, "s")


def test_a_secret_that_was_replaced_works_no_longer_than_five_minutes() -> None:
    ssm, clock = FakeSsm(gitlab="leaked"), Clock()
    secrets = Secrets(ssm, clock)
    verify(secrets, NAMES, "leaked")
    ssm.values[NAMES[0]] = "new"
    clock.now += SECONDS_FRESH
    with pytest.raises(InvalidSignatureError):
        verify(secrets, NAMES, "leaked")
    verify(secrets, NAMES, "new")
    assert len(ssm.reads) == 2


def test_a_secret_that_was_deleted_works_no_longer_than_five_minutes() -> None:
    ssm, clock = FakeSsm(gitlab="leaked"), Clock()
    secrets = Secrets(ssm, clock)
    verify(secrets, NAMES, "leaked")
    ssm.values.clear()
    clock.now += SECONDS_FRESH
    for _ in range(2):
        with pytest.raises(ServiceTrouble, match="no secret is stored"):
            verify(secrets, NAMES, "leaked")


def test_old_secrets_serve_while_ssm_fails_and_it_is_asked_once_a_minute() -> None:
    ssm, clock = FakeSsm(gitlab="s"), Clock()
    secrets = Secrets(ssm, clock)
    verify(secrets, NAMES, "s")
    ssm.refusal = "ThrottlingException"
    clock.now += SECONDS_FRESH
    for _ in range(120):
        verify(secrets, NAMES, "s")
        with pytest.raises(InvalidSignatureError):
            verify(secrets, NAMES, "another")
        clock.now += 1
    assert len(ssm.reads) == 3
    ssm.refusal = None
    clock.now += SECONDS_BETWEEN_READS
    verify(secrets, NAMES, "s")
    assert len(ssm.reads) == 4


def test_all_names_of_a_source_are_read_in_one_call() -> None:
    ssm = FakeSsm(old="o", new="n")
    names = ("/amplify-jobs/secrets/old", "/amplify-jobs/secrets/new", "/amplify-jobs/secrets/old")
    verify(Secrets(ssm, Clock()), names, "n")
    assert ssm.reads == [list(names[:2])]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"nonsense": [True]},
        {"Parameters": []},
        {"Parameters": [], "InvalidParameters": []},
        {"Parameters": [{"Name": NAMES[0]}], "InvalidParameters": []},
        {"Parameters": None, "InvalidParameters": None},
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_our_trouble(answer: dict[str, Any]) -> None:
    ssm = FakeSsm(gitlab="s")
    ssm.answer = answer
    with pytest.raises(ServiceTrouble, match="SSM answered without the values"):
        verify(Secrets(ssm, Clock()), NAMES, "s")
