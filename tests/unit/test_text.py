"""Foreign text: which secrets are masked in it, and what of it can never be published."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amplify_jobs.errors import RequestRejected, ServiceTrouble
from amplify_jobs.text import (
    SECRET,
    TEXT_LIMIT,
    indented,
    one_line,
    presentable,
    sentences,
    without_controls,
    without_secrets,
)

# Written in two parts, so that no scanner of secrets takes this file for a leak; none of them was ever one.
TOKENS = [
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "gho_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "ghu_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "ghs_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "ghr_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_" + "11ABCDEFG0abcdefghijkl_" + "x" * 59,
    "glpat-" + "abcdefghijklmnopqrst",
    "glpat-" + "J2sT5t_x9Qk-aBcDeFgH.01.0w1a2b3c4",
    "gldt-" + "aBcDeFgHiJkLmNoPqRsT",
    "glrt-" + "t1_aBcDeFgHiJkLmNoPqRsT",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ASIA" + "IOSFODNN7EXAMPLE",
    "xoxb-" + "123456789012-1234567890123-abcdefghijklmnopqrstuvwx",
    "xoxp-" + "123456789012-abcdefghijkl",
    "xapp-" + "1-A0123456789-1234567890123-abcdef",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "npm_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
    "pypi-AgE" + "IcHlwaS5vcmcCJDY1",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "rk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "sk-" + "proj-aBcDeFgHiJkLmNoPqRsT0123",
    "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "ya29." + "a0AfH6SMBx-abcdefghijklmnop",
    "SG." + "aBcDeFgHiJkLmNoPqRsTuV.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFg",
    "dop_v1_" + "0123456789abcdef" * 4,
    "dckr_pat_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ0",
    "hvs." + "CAESIJlU02LQZ-uuFmEXAMPLE",
    "ATATT3" + "xFfGF0abcdefghijklmnopqrstuvwxyz=0123ABCD",
    "shpat_" + "0123456789abcdef" * 2,
    "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "110201543:AA" + "HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA\nabc+/=\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE " + "KEY-----\nb3BlbnNzaC1rZXktdjEA",
]
# What is secret, and the text around it, which stays.
IN_ITS_PLACE = [
    ("Authorization: Bearer {}", "abcdef"),
    ("authorization: Basic {}", "dXNlcjpwYXNz"),
    ("curl -H 'Authorization: token {}' x", "0123456789abcdef"),
    ("sent Bearer {} to it", "mF_9.B5f-4.1JqM"),
    ("NPM_TOKEN={} npm ci", "abcdefgh"),
    ("AWS_SECRET_ACCESS_KEY={}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ('{{"password": "{}"}}', "hunter2!"),
    ("AccountName=x;AccountKey={};", "ZXhhbXBsZQ=="),
    ("https://hooks.slack.com/services/{} answered", "T00000000/B00000000/XXXXXXXXXXXX"),
]
ORDINARY = [
    "npm ci failed",
    "react@18.2.0 and @aws/sdk@3.1.0",
    "89205432f5b72b15f33c8d9bd2a1bde3c0e4f5a6",
    "the bearer token is missing",
    "Bearer authentication failed",
    "Authorization: required",
    "secret: /amplify-jobs/secrets/github",
    "tokens = 5",
    "sk-learn-models-of-the-training-pipeline",
    "eyJ is how they begin",
    "d1a2b3c4d5e6 main 7",
    "web-0123456789abcdef0123456789abcdef",
    "s3://amplify-jobs-bucket/results/forms-1/PostCreateForm.jsx",
    "arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs-job:web-5f1c0a7e9b3d4c2f8a6e1d0b7c9f3a52",
    "https://main.d1a2b3c4d5e6.amplifyapp.com/",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("form", ["{}", "pushed {} by mistake", '"{}"', "x={}&y", "({})", "key_{}"])
def test_a_known_form_of_a_token_is_masked(token: str, form: str) -> None:
    masked = without_secrets(form.format(token))
    assert SECRET in masked
    assert token[8:] not in masked
    assert str(RequestRejected(form.format(token))) == masked
    assert str(presentable(form.format(token))).count(SECRET) == 1


@pytest.mark.parametrize(("form", "secret"), IN_ITS_PLACE)
def test_a_secret_is_masked_where_its_place_tells(form: str, secret: str) -> None:
    masked = without_secrets(form.format(secret))
    assert masked in (form.format(SECRET), form.format(f"/{SECRET}"), form.replace("/{}", "{}").format(f"/{SECRET}"))


@pytest.mark.parametrize("text", ORDINARY)
def test_what_is_no_secret_stays(text: str) -> None:
    assert presentable(text) == text


@pytest.mark.parametrize("text", [*ORDINARY, *TOKENS, *(form.format(secret) for form, secret in IN_ITS_PLACE)])
def test_what_is_published_can_be_published_again(text: str) -> None:
    assert presentable(presentable(text)) == presentable(text)


def test_the_credentials_of_an_address_are_left_out_whatever_its_scheme() -> None:
    assert without_secrets("postgres://user:pa55@db:5432/x") == "postgres://db:5432/x"


@given(st.text(max_size=3_000))
@example("\x1b[31mred\x1b[0m \x1b]0;title\x07\x9b1m\u202egnp.exe\u2066\x00\x7f\ud800\r\n\x85\u2028")
def test_no_control_character_or_mark_of_direction_is_published(foreign: str) -> None:
    published = str(presentable(foreign))
    assert len(published) <= TEXT_LIMIT
    for character in published:
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )
        assert character not in "\u061c\u200e\u200f\ufeff"
    json.dumps(published).encode()
    assert without_controls(published) == published


def test_the_colours_of_a_build_tool_are_left_out_and_emoji_stay() -> None:
    assert without_controls("\x1b[1;31mnpm ERR!\x1b[0m 👩‍🚀 Zoë") == "npm ERR! 👩‍🚀 Zoë"
    assert without_controls("one\r\ntwo\rthree\u2028four") == "one\ntwo\nthree\nfour"


@given(st.text())
def test_a_value_is_on_one_line_or_its_further_lines_are_indented(value: str) -> None:
    assert len(one_line(value).splitlines()) <= 1
    assert all(re.match(r"    \S", line) for line in indented(value).splitlines()[1:])


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (("a", "b"), "a. b"),
        (("a.", "b."), "a. b."),
        (("a!", None, "", "b"), "a! b"),
        ((None,), ""),
    ],
)
def test_sentences_end_with_full_stops(parts: tuple[str | None, ...], joined: str) -> None:
    assert sentences(*parts) == joined


@pytest.mark.parametrize("piece", ["eyJ-", "_", "1", "a", "gl", "secret", "Bearer ", "x://", "\x1b]", "sk-", "token="])
def test_masking_takes_no_longer_for_texts_made_to_be_slow(piece: str) -> None:
    """Each of these once took time that grew with the square of its length; the suite's time limit is the bound."""
    presentable(piece * 30_000)
    without_secrets(piece * 3_000)


def test_an_error_of_ours_holds_no_secret_whoever_made_it() -> None:
    assert str(ServiceTrouble(f"no answer for {TOKENS[0]}")) == f"no answer for {SECRET}"
