"""What is wrong with a secret, told without the secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from amplify_jobs.reporting.checking.secret_forms import secret_doubt, secret_fault
from amplify_jobs.routing.report_targets import Target, secrets_of

NAME = "/amplify-jobs/secrets/one"
TARGETS: dict[str, dict[str, Any]] = {
    "commit_status": {"source": "github", "token": NAME},
    "app": {"kind": "commit_status", "source": "github", "app": "Iv1", "key": NAME},
    "slack_bot": {"token": NAME, "channel": "C0123456789"},
    "webhook": {"url": "https://example.com/hook", "secret": NAME},
    **{chat: {"webhook": NAME} for chat in ("slack", "teams", "discord", "google_chat", "mattermost")},
}
RIGHT = {
    "commit_status": "github_pat_0123456789",
    "slack_bot": "xoxb-1-2-three",
    "webhook": "whsec_bWFueSBieXRlcyB0aGF0IG5vYm9keSBrbm93cw==",
    "slack": "https://hooks.slack.com/services/T0/B0/x",
    "teams": "https://prod-1.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=x",
    "discord": "https://discord.com/api/webhooks/123/to-ken",
    "google_chat": "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
    "mattermost": "https://chat.example.com/hooks/abc",
}


ADAPTER = TypeAdapter[Target](Target)


def target(name: str) -> Target:
    return ADAPTER.validate_python({"kind": name, **TARGETS[name]})


def fault(name: str, value: str) -> str | None:
    result = secret_fault(target(name), {NAME: value})
    assert result is None or (result.parameter == NAME and result.remedy)
    return result.message if result else None


def doubt(name: str, value: str) -> str | None:
    result = secret_doubt(target(name), {NAME: value})
    return result.message if result else None


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_secret_of_the_right_form_has_neither_fault_nor_doubt(name: str) -> None:
    assert (fault(name, RIGHT[name]), doubt(name, RIGHT[name])) == (None, None)


@pytest.mark.parametrize("name", sorted(RIGHT))
@pytest.mark.parametrize(
    ("changed", "message"), [("", "is empty"), ("{} ", "a space"), ("{}\n", "line break"), ("{}\u00e9", "characters")]
)
def test_what_is_wrong_with_any_secret(name: str, changed: str, message: str) -> None:
    assert message in (fault(name, changed.format(RIGHT[name])) or "")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("commit_status", "https://github.com/settings/tokens", "an address, not a token"),
        ("slack", "xoxb-1-2-three", "not the address of a webhook"),
        ("slack", "http://hooks.slack.com/services/T0/B0/x", "not the address of a webhook"),
        ("slack", "https://user:password@hooks.slack.com/services/T0/B0/x", "not the address of a webhook"),
        ("slack", "https://hooks.slack.com:port/services", "not the address of a webhook"),
        ("teams", "https://acme.webhook.office.com/webhookb2/1", "no longer work"),
        ("discord", "https://discord.com/api/webhooks/123/token/slack", "follows the token"),
        ("discord", "https://discord.com/api/webhooks/123/token?wait=true", "follows the token"),
        ("webhook", "bWFueSBieXRlcyB0aGF0IG5vYm9keSBrbm93cw==", "does not begin with whsec_"),
        ("webhook", "whsec_no-base64", "not base64"),
        ("webhook", "whsec_", "nothing follows"),
        ("app", "", "is empty"),
        ("app", "ghp_0123456789", "no private key"),
    ],
)
def test_what_is_wrong_with_a_secret_of_a_kind(name: str, value: str, message: str) -> None:
    assert message in (fault(name, value) or "")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("slack", "https://hooks.example.com/services/T0/B0/x", "hooks.example.com with this path"),
        ("slack", RIGHT["discord"], "is not where slack has its webhooks"),
        ("google_chat", "https://chat.googleapis.com/v1/spaces/A/messages?key=k", "is not where google_chat"),
        ("mattermost", "https://chat.example.com/api/v4/posts", "is not where mattermost"),
        ("slack_bot", "xoxp-1-2-three", "xoxb-"),
        ("webhook", "whsec_d2hhdCBzaWducw==", "10 bytes instead of 24 to 64"),
    ],
)
def test_what_is_unusual_is_sent_all_the_same(name: str, value: str, message: str) -> None:
    assert fault(name, value) is None
    assert message in (doubt(name, value) or "")


@pytest.mark.parametrize("name", sorted(TARGETS))
@given(value=st.text(min_size=1))
def test_no_message_repeats_a_secret(name: str, value: str) -> None:
    secret = f"s3cr3t-{value}-s3cr3t"
    assert secrets_of(target(name)) == (NAME,)
    assert "s3cr3t" not in (fault(name, secret) or "")
    if fault(name, secret) is None:
        assert "s3cr3t" not in (doubt(name, secret) or "")
