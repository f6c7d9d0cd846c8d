"""What is wrong with the value of a target's secret, told without the value. Pure: the sender asks before it sends."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from amplify_jobs.reporting.github_app import load_private_key
from amplify_jobs.routing.report_targets import ChatWebhook, RepositoryTarget, SlackBot, Target, Webhook, secrets_of

_LOCAL = ("127.0.0.1", "localhost")
_KEY_BYTES = range(24, 65)


@dataclass(frozen=True)
class SecretFault:
    """A secret that can't work: the name of its parameter, what is wrong with its value, and what to store instead."""

    parameter: str
    message: str
    remedy: str


@dataclass(frozen=True)
class _Form:
    """The address of a chat's webhook: its hosts, its path, and the members of its query, as patterns."""

    hosts: str
    path: str
    example: str
    query: tuple[str, ...] = ()


_FORMS: Mapping[str, _Form] = {
    "slack": _Form(
        r"hooks\.slack(-gov)?\.com", r"/(services|workflows|triggers)/.+", "https://hooks.slack.com/services/T…/B…/…"
    ),
    "discord": _Form(
        r"(canary\.|ptb\.)?discord(app)?\.com",
        r"/api(/v\d+)?/webhooks/\d+/[\w-]+",
        "https://discord.com/api/webhooks/<id>/<token>",
    ),
    "google_chat": _Form(
        r"chat\.googleapis\.com",
        r"/v1/spaces/[^/]+/messages",
        "https://chat.googleapis.com/v1/spaces/<space>/messages?key=…&token=…",
        ("key", "token"),
    ),
    "teams": _Form(
        r".+\.(logic\.azure|powerplatform|powerautomate)\.[a-z.]+",
        r"/.+",
        "the address that the workflow shows, at logic.azure.com or api.powerplatform.com",
    ),
    "mattermost": _Form(r".+", r"(/.+)?/hooks/[^/]+", "https://mattermost.example.com/hooks/<id>"),
}


def secret_fault(target: Target, credentials: Mapping[str, str]) -> SecretFault | None:
    """What makes a target's secret useless; None if it may work. `credentials` has the values by parameter."""
    for name in secrets_of(target):
        value = credentials[name]
        match target:
            case ChatWebhook():
                problem = _address_problem(target.kind, value)
                remedy = f"store the webhook's address, like {_FORMS[target.kind].example}"
            case Webhook():
                problem = _key_problem(value)
                remedy = "store whsec_ and 24 to 64 bytes in base64"
            case SlackBot():
                problem, remedy = _token_problem(value), "store the Bot User OAuth Token, which begins with xoxb-"
            case RepositoryTarget(key=key) if name == key:
                problem, remedy = _private_key_problem(value), "store the .pem file that GitHub made for the App"
            case _:
                problem, remedy = _token_problem(value), "store the token alone, as the git host shows it"
        if problem is not None:
            return SecretFault(name, problem, remedy)
    return None


def secret_doubt(target: Target, credentials: Mapping[str, str]) -> SecretFault | None:
    """What is unusual about a secret that `secret_fault` lets pass; a proxy or a server of one's own may want it so."""
    for name in secrets_of(target):
        value = credentials[name]
        if isinstance(target, SlackBot) and not value.startswith("xoxb-"):
            return SecretFault(name, "a bot's token begins with xoxb-", "store the Bot User OAuth Token")
        if isinstance(target, Webhook) and (size := len(base64.b64decode(value[6:]))) not in _KEY_BYTES:
            return SecretFault(name, f"the key has {size} bytes instead of 24 to 64", "store a key of 32 bytes")
        if isinstance(target, ChatWebhook):
            form, parts = _FORMS[target.kind], urlsplit(value)
            if parts.hostname in _LOCAL or _has_form(form, parts):
                continue
            message = f"{parts.hostname} with this path is not where {target.kind} has its webhooks"
            return SecretFault(name, message, f"store an address like {form.example}")
    return None


def _has_form(form: _Form, parts: SplitResult) -> bool:
    return (
        re.fullmatch(form.hosts, parts.hostname or "") is not None
        and re.fullmatch(form.path, parts.path) is not None
        and set(form.query) <= parse_qs(parts.query).keys()
    )


def _text_problem(value: str) -> str | None:
    if not value:
        return "the value is empty"
    if re.search(r"\s", value):
        return "the value has a space or a line break"
    if not (value.isascii() and value.isprintable()):
        return "the value has characters that no address or header may have"
    return None


def _token_problem(value: str) -> str | None:
    if (problem := _text_problem(value)) is not None:
        return problem
    return "the value is an address, not a token" if re.match(r"https?://", value) else None


def _address_problem(kind: str, value: str) -> str | None:
    if (problem := _text_problem(value)) is not None:
        return problem
    try:
        parts = urlsplit(value)
        local = parts.hostname in _LOCAL
        usable = parts.hostname is not None and (parts.port or 1) > 0 and parts.username is None
    except ValueError:
        usable = local = False
    if not usable or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        return "the value is not the address of a webhook, which begins with https://"
    if (parts.hostname or "").endswith("webhook.office.com"):
        return "it is the address of a connector of Office 365, and those no longer work"
    if kind == "discord" and (parts.query or parts.path.endswith(("/", "/slack", "/github"))):
        return "something follows the token in the address"
    return None


def _key_problem(value: str) -> str | None:
    if (problem := _text_problem(value)) is not None:
        return problem
    if not value.startswith("whsec_"):
        return "the key does not begin with whsec_"
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except ValueError:
        return "what follows whsec_ is not base64"
    return None if key else "nothing follows whsec_"


def _private_key_problem(value: str) -> str | None:
    if not value.strip():
        return "the value is empty"
    try:
        load_private_key(value)
    except ValueError as error:
        return str(error)
    return None
