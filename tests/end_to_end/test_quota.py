"""A burst on cold functions under Parameter Store's quota, which all functions of an account share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.team import Team

pytestmark = pytest.mark.thorough

PUSHES = 200
READS = ("GetParameter", "GetParameters", "GetParametersByPath")
CALLS_A_SECOND = 0.1
"""AWS lets 200 cold functions make 40 calls a second. Here four processes start: this keeps three of them waiting."""


def test_two_hundred_pushes_at_once_on_cold_functions_under_ssm_s_quota_lose_nothing(team: Team) -> None:
    # No branch of these names is there, so that an execution ends without a build.
    team.route("burst", team.app("burst"))
    bodies = [team.push("burst", ref=f"refs/heads/release/b{number}") for number in range(PUSHES)]
    team.kill("ReceiveWebhookFunction")
    first, *others = READS
    team.inject_fault(service="ssm", operation=first, also=others, fault="quota", rate=CALLS_A_SECOND)
    with ThreadPoolExecutor(PUSHES) as pool:
        answers = list(pool.map(team.deliver, bodies))
    assert {status for status, _ in answers} == {202}
    assert any(answer.get("deferred") for _, answer in answers), "the quota did not bite"
    team.clear_faults()
    team.until(lambda: len(team.requests_of("burst")) >= PUSHES or None, "some pushes have no execution")
    assert len(team.requests_of("burst")) == PUSHES
