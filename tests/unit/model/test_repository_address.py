"""Addresses of repositories, in the forms in which Amplify shows them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.model.repository_address import parse_repository_address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/acme/web", ("github.com", "acme/web")),
        ("https://GitHub.com/acme/web.git/", ("github.com", "acme/web")),
        ("https://oauth2:secret@gitlab.com/acme/group/web", ("gitlab.com", "acme/group/web")),
        ("https://ghe.example.com:8443/acme/web", ("ghe.example.com", "acme/web")),
        ("ssh://git@bitbucket.org/acme/web.git", ("bitbucket.org", "acme/web")),
        ("git@github.com:acme/web.git", ("github.com", "acme/web")),
        (
            "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/web",
            ("git-codecommit.eu-west-1.amazonaws.com", "web"),
        ),
        ("", None),
        ("/srv/git/web.git", None),
        ("file:///srv/git/web.git", None),
        ("https://github.com/", None),
        ("https://github.com/acme/../../web?token=x", None),
    ],
)
def test_an_address_names_a_host_and_a_repository(address: str, expected: tuple[str, str] | None) -> None:
    assert parse_repository_address(address) == expected


@given(st.text(max_size=200))
def test_any_text_is_read(address: str) -> None:
    result = parse_repository_address(address)
    assert result is None or ("@" not in "".join(result) and "?" not in "".join(result))
