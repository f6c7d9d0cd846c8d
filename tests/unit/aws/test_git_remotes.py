"""The login of CodeCommit, against AWS's own algorithm written out."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from botocore.credentials import ReadOnlyCredentials

from amplify_jobs.aws.git_remotes import codecommit_login

ADDRESS = "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/web"


def derived(key: bytes, *parts: str) -> bytes:
    for part in parts:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def test_user_name_and_password_are_made_as_git_remote_codecommit_makes_them() -> None:
    credentials = ReadOnlyCredentials("AKIAEXAMPLE", "secret", "to/ken+=")
    now = datetime(2026, 11, 28, 3, 4, 5, tzinfo=UTC)
    canonical = "GIT\n/v1/repos/web\n\nhost:git-codecommit.eu-west-1.amazonaws.com\n\nhost\n"
    scope = "20261128/eu-west-1/codecommit/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n20261128T030405\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = derived(b"AWS4secret", *scope.split("/"), to_sign).hex()
    assert codecommit_login(ADDRESS, "eu-west-1", credentials, now) == (
        "AKIAEXAMPLE%to/ken+=",
        f"20261128T030405Z{signature}",
    )


def test_without_a_session_the_user_name_is_the_access_key() -> None:
    credentials = ReadOnlyCredentials("AKIAEXAMPLE", "secret", None)
    assert codecommit_login(ADDRESS, "eu-west-1", credentials, datetime.now(UTC))[0] == "AKIAEXAMPLE"
