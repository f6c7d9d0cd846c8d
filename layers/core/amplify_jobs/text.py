"""Foreign text, made fit for logs, errors and announcements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, overload

from pydantic import BaseModel

TEXT_LIMIT = 1_000
"""The most characters of one foreign text that is published."""
SECRET = "(secret left out)"  # noqa: S105  # what stands in place of one
ADDRESS = "(address left out)"

# Escape sequences of terminals: what a build tool writes to colour its output, or to set a window's title.
_ESCAPE_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]{0,300}(?:\x07|\x1b\\|\x9c)"
)
_LINE_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters but tab and line feed; marks, embeddings, overrides and isolates of direction (Unicode UAX 9);
# characters without width that are no joiners of emoji; interlinear annotations.
_UNWANTED = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001]"
)

# What the vendors document, or secret scanners (GitHub, gitleaks) look for. A form that is only a number of hexadecimal
# digits is no form: it would take commits for secrets.
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    + "|".join(
        (
            r"gh[a-z]_[A-Za-z0-9_.-]{10,}",  # GitHub: personal, OAuth, user, installation and refresh tokens
            r"github_pat_[A-Za-z0-9_]{10,}",
            r"gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|rtr|soat)-[\w.=-]{10,}",  # GitLab
            r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{12,}",  # AWS: ids of access keys
            r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}",  # Slack
            r"xapp-[A-Za-z0-9-]{8,}",
            r"eyJ[\w-]{6,}+(?:\.[\w-]*+){1,4}+",  # JSON Web Tokens
            r"npm_[A-Za-z0-9]{10,}",
            r"pypi-AgE[\w-]{10,}",
            r"rubygems_[a-f0-9]{16,}",
            r"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])",  # crates.io
            r"(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{8,}",  # Stripe
            r"wh(?:sec|pk|sk)_[A-Za-z0-9+/=]{8,}",  # Standard Webhooks
            r"sk-(?=[\w-]{0,80}\d)[\w-]{20,}",  # OpenAI, Anthropic
            r"AIza[\w-]{20,}",  # Google
            r"ya29\.[\w-]{10,}",
            r"GOCSPX-[\w-]{10,}",
            r"SG\.[\w-]{10,}\.[\w-]{10,}",  # SendGrid
            r"SK[a-f0-9]{32}(?![a-f0-9])",  # Twilio
            r"key-[a-f0-9]{32}(?![a-f0-9])",  # Mailgun
            r"do[a-z]_v1_[a-f0-9]{16,}",  # DigitalOcean
            r"dckr_[a-z]{2,4}_[\w-]{10,}",  # Docker
            r"hv[a-z]\.[\w-]{15,}",  # HashiCorp Vault
            r"\w{14}\.atlasv1\.[\w=-]{15,}",  # Terraform Cloud
            r"AT(?:ATT|CTT|BB)[\w=-]{20,}",  # Atlassian
            r"shp[a-z]{2}_[a-fA-F0-9]{16,}",  # Shopify
            r"lin_(?:api|oauth)_\w{10,}",  # Linear
            r"PMAK-[a-f0-9-]{20,}",  # Postman
            r"dapi[a-f0-9]{32}",  # Databricks
            r"hf_[A-Za-z0-9]{20,}",  # Hugging Face
            r"ntn_[A-Za-z0-9]{20,}",  # Notion
            r"secret_[A-Za-z0-9]{30,}",
            r"pscale_[a-z]+_[\w.-]{15,}",  # PlanetScale
            r"sb(?:p|_secret)_[\w-]{15,}",  # Supabase
            r"fig[a-z]_[\w-]{15,}",  # Figma
            r"sntry[a-z]_[\w=+/-]{15,}",  # Sentry
            r"gl(?:sa|c)_[\w=+/-]{15,}",  # Grafana
            r"NRAK-[A-Z0-9]{20,}",  # New Relic
            r"FlyV1 \S{15,}",  # Fly.io
            r"AGE-SECRET-KEY-1[A-Z0-9]{20,}",
            r"\d{8,10}:AA[\w-]{30,}",  # Telegram
            r"[A-Za-z0-9]{52,76}JQQJ9[A-Za-z0-9]{9,}",  # Azure DevOps
        )
    )
    + ")"
)
_PRIVATE_KEYS = re.compile(
    r"-----BEGIN (?:[A-Z0-9 ]+ )?PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END (?:[A-Z0-9 ]+ )?PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
# Bearer is a word too: what follows it is a token if it is long, or has what words do not have.
_BEARERS = re.compile(
    r"\b((?:[Bb]earer|BEARER)\s+)(?=\S{20}|\S{0,20}[0-9_/+=~]|\S{0,20}\.\w|[A-Za-z]{0,20}[a-z][A-Z])[\w.~+/=-]{6,}"
)
_AUTHORIZATIONS = re.compile(
    r"(?i)\b(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:basic|bearer|token|negotiate|digest)\s{1,3})(?!\()[^\s\"',;]+"
)
_ASSIGNMENTS = re.compile(
    r"(?i)((?:secret|token|passwo?r?d|api_?key|access_?key|account_?key|private_?key|credentials?)"
    r"[\w.-]{0,40}(?:\s{0,3}=\s{0,3}[\"']?|[\"']\s{0,3}[:=]\s{0,3}[\"']))(?!\()[^\s\"'&,;]{4,}"
)
_SECRET_PATHS = re.compile(
    r"(?i)(https?://(?:hooks\.slack\.com/(?:services|workflows|triggers)|(?:[\w-]+\.)?discord(?:app)?\.com/api/webhooks"
    r"|[\w.-]+\.webhook\.office\.com/webhookb2|api\.telegram\.org/bot))(?!/\()[^\s\"'<>]+"
)
_USER_INFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^\s/@]*@")
_EMAIL_ADDRESSES = re.compile(r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")


@overload
def without_queries(text: str) -> str: ...
@overload
def without_queries(text: None) -> None: ...
def without_queries(text: str | None) -> str | None:
    """Take the query strings, which may sign, off all http addresses in a text."""
    # An address without a query is matched too: a search that fails there would begin again inside it.
    return None if text is None else re.sub(r"(?i)(https?://[^\s?#]+)(?:[?#]\S*)?", r"\1", text)


def without_secrets(text: str) -> str:
    """Mask what has the form of a known kind of token, key or password; everything else stays as it is."""
    text = without_private_keys(text)
    text = _SECRET_PATHS.sub(rf"\1/{SECRET}", text)
    text = _TOKENS.sub(SECRET, text)
    text = _AUTHORIZATIONS.sub(rf"\1{SECRET}", text)
    text = _BEARERS.sub(rf"\1{SECRET}", text)
    text = _ASSIGNMENTS.sub(rf"\1{SECRET}", text)
    return _USER_INFO.sub(r"\1", text)


def without_private_keys(text: str) -> str:
    """Mask private keys in PEM; one without an end reaches to the end of the text."""
    return _PRIVATE_KEYS.sub(SECRET, text)


def without_controls(text: str) -> str:
    """Take out control characters, escape sequences and marks of direction; every kind of line break is a line feed."""
    text = _LINE_BREAKS.sub("\n", _ESCAPE_SEQUENCES.sub("", text))
    # Half of a surrogate pair can't be written as UTF-8.
    return _UNWANTED.sub("", text).encode(errors="replace").decode()


def shortened(text: str, limit: int = TEXT_LIMIT) -> str:
    """Cut a text that has more than `limit` characters, and show that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


@overload
def presentable(text: str, limit: int = TEXT_LIMIT) -> str: ...
@overload
def presentable(text: None, limit: int = TEXT_LIMIT) -> None: ...
@overload
def presentable(text: str | None, limit: int = TEXT_LIMIT) -> str | None: ...
def presentable(text: str | None, limit: int = TEXT_LIMIT) -> str | None:
    """Make foreign text fit to be published.

    It has no control characters, no form of a secret, no e-mail address, no credentials or query string (which may
    sign) in an address, and at most `limit` characters. A package's version (`react@18.2.0`) stays.
    """
    if text is None:
        return None
    # What is cut anyhow is not looked through; a secret at the limit is still whole.
    return shortened(without_confidential(text[: 10 * limit]), limit)


def without_confidential(text: str) -> str:
    """Make foreign text of any length fit to be published: no controls, secrets, query strings or e-mail addresses."""
    return _EMAIL_ADDRESSES.sub(ADDRESS, without_secrets(without_queries(without_controls(text))))


def assigned_secrets(text: str) -> set[str]:
    """The values that a text assigns to names of secrets (`NPM_TOKEN=…`), and that are no words."""
    values = (match[0].removeprefix(match[1]) for match in _ASSIGNMENTS.finditer(text))
    return {value for value in values if len(value) >= 8 and not value.isalpha()}


def one_line(text: str) -> str:
    """Put a text on one line, without control characters."""
    return " ".join(without_controls(text).split())


def indented(text: str) -> str:
    """Keep the lines of a text, all but the first indented, so that none of them looks like a line of its own."""
    lines = (one_line(line) for line in without_controls(text).split("\n"))
    return "\n    ".join(line for line in lines if line)


def sentences(*parts: str | None) -> str:
    """Join texts to sentences: each but the last ends with a full stop, if it has no mark of its own."""
    texts = [part.strip() for part in parts if part and part.strip()]
    ended = [text if text[-1] in ".!?…:;" else f"{text}." for text in texts[:-1]]
    return " ".join([*ended, *texts[-1:]])


def deeply(clean: Any, value: Any) -> Any:
    """Apply a function of texts to every text in a value of JSON's kind or of models; names and our own words stay."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return clean(value)
    if isinstance(value, Mapping):
        return {name: deeply(clean, item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(deeply(clean, item) for item in value)
    if isinstance(value, BaseModel):
        members = {name: getattr(value, name) for name in type(value).model_fields}
        return value.model_copy(update={name: deeply(clean, member) for name, member in members.items()})
    return value
