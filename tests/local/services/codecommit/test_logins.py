"""What git logs in to CodeCommit with, made as AWS's own tools make it and changed in each part."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import example, given
from hypothesis import strategies as st

from amplify_jobs.aws.git_remotes import codecommit_login
from local.permissions.roles import Credentials
from local.services.codecommit.logins import Address, Login, LoginError, check_login, parse_login

NOW = datetime(2026, 11, 28, 3, 4, 5, tzinfo=UTC)
CREDENTIALS = Credentials("ASIAEXAMPLE", "secret", "to/ken+%=")
HOST, PATH, REGION = "git-codecommit.eu-west-1.amazonaws.com", "/v1/repos/web", "eu-west-1"
ADDRESS = Address(("127.0.0.1:4566", HOST), PATH, REGION)


def header(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def login(now: datetime = NOW) -> Login:
    credentials = ReadOnlyCredentials(
        CREDENTIALS.access_key_id, CREDENTIALS.secret_access_key, CREDENTIALS.session_token
    )
    return parse_login(header(*codecommit_login(f"https://{HOST}{PATH}", REGION, credentials, now)))


def test_a_login_of_the_credentials_is_taken_for_a_quarter_of_an_hour() -> None:
    for minutes in (-15, 0, 15):
        check_login(login(), CREDENTIALS, ADDRESS, NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("changed", "credentials", "address", "now", "reason"),
    [
        (login(), CREDENTIALS, ADDRESS, NOW + timedelta(minutes=16), "valid for 15 minutes"),
        (login(), CREDENTIALS, ADDRESS, NOW - timedelta(minutes=16), "valid for 15 minutes"),
        (replace(login(), time="20261399T000000"), CREDENTIALS, ADDRESS, NOW, "the time in the password is none"),
        (replace(login(), time="20261128T030406"), CREDENTIALS, ADDRESS, NOW, "does not match"),
        (replace(login(), signature="0" * 64), CREDENTIALS, ADDRESS, NOW, "does not match"),
        (login(), replace(CREDENTIALS, secret_access_key="other"), ADDRESS, NOW, "does not match"),
        (login(), CREDENTIALS, replace(ADDRESS, path="/v1/repos/other"), NOW, "does not match"),
        (login(), CREDENTIALS, replace(ADDRESS, region="eu-west-2"), NOW, "does not match"),
        (login(), CREDENTIALS, replace(ADDRESS, hosts=("example.com",)), NOW, "does not match"),
        (replace(login(), session_token=None), CREDENTIALS, ADDRESS, NOW, "session token"),
        # As it stands in an address: whoever sends it so has quoted it once too often.
        (replace(login(), session_token="to%2Fken%2B%25%3D"), CREDENTIALS, ADDRESS, NOW, "session token"),
        (login(), None, ADDRESS, NOW + timedelta(minutes=16), "valid for 15 minutes"),
    ],
)
def test_any_other_login_is_refused_with_the_reason(
    changed: Login, credentials: Credentials | None, address: Address, now: datetime, reason: str
) -> None:
    with pytest.raises(LoginError, match=reason) as refused:
        check_login(changed, credentials, address, now)
    for secret in (CREDENTIALS.secret_access_key, CREDENTIALS.session_token, login().signature):
        assert secret not in str(refused.value)


def test_an_access_key_of_nobody_s_is_not_held_against_a_secret() -> None:
    check_login(replace(login(), signature="0" * 64), None, ADDRESS, NOW)


@example("Basic ü")
@given(st.text() | st.builds(header, st.text(), st.text()))
def test_any_other_header_is_refused(authorization: str) -> None:
    with pytest.raises(LoginError, match="credential-helper"):
        parse_login(authorization)
