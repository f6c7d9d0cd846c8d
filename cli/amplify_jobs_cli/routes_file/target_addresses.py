"""Addresses of targets: what is wrong with them, and the address that is meant."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

# A provider -> an address of its API, for messages.
_EXAMPLES = {
    "github": "https://github.example.com/api/v3",
    "gitlab": "https://gitlab.example.com/api/v4",
    "bitbucket": "https://api.bitbucket.org/2.0",
    "bitbucket-server": "https://bitbucket.example.com",
    "gitea": "https://gitea.example.com/api/v1",
    "forgejo": "https://codeberg.org/api/v1",
    "azure-devops": "https://dev.azure.com/acme",
}
# A public host's name -> the address of its API.
_PUBLIC = {
    "github.com": "https://api.github.com",
    "www.github.com": "https://api.github.com",
    "api.github.com": "https://api.github.com",
    "gitlab.com": "https://gitlab.com/api/v4",
    "bitbucket.org": "https://api.bitbucket.org/2.0",
    "api.bitbucket.org": "https://api.bitbucket.org/2.0",
    "codeberg.org": "https://codeberg.org/api/v1",
    "gitea.com": "https://gitea.com/api/v1",
    "slack.com": "https://slack.com/api",
}
# A provider -> the end that the address of its API has on a server of one's own.
_ENDS = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1", "forgejo": "/api/v1"}
_CHATS = (
    (r"hooks\.slack(-gov)?\.com", "slack", "Slack"),
    (r"(canary\.|ptb\.)?discord(app)?\.com", "discord", "Discord"),
    (r"chat\.googleapis\.com", "google_chat", "Google Chat"),
    (r".+\.(logic\.azure|webhook\.office|api\.powerplatform)\.com", "teams", "Teams"),
)
_LOCAL = ("127.0.0.1", "localhost")
_AZURE = "dev.azure.com"


def api_example(provider: str | None) -> str:
    """An address of a provider's API."""
    return _EXAMPLES.get(provider or "", "https://slack.com/api")


def chat_of(address: str) -> tuple[str, str] | None:
    """The kind and the name of the chat whose webhook an address is; None if it is of none."""
    host = _parts(address).hostname or ""
    return next(((kind, title) for pattern, kind, title in _CHATS if re.fullmatch(pattern, host)), None)


def address_fault(key: str, address: str, provider: str | None) -> str | None:
    """What is wrong with the address of an API (`api`) or of a webhook (`url`), and what to write instead.

    None if nothing is, or if another check tells it.
    """
    parts = _parts(address)
    example = api_example(provider) if key == "api" else "https://example.com/amplify-jobs"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"this is not an address; use one like {example}"
    if parts.username is not None or parts.password is not None:
        secret = "token" if key == "api" else "secret"
        return f"the address has a user or a password; leave it out, and put it into SSM under {secret}"
    host = parts.netloc
    if (fault := plain_http_fault(address)) is not None:
        return fault
    if parts.hostname in _LOCAL or key == "url":
        return None
    if parts.query or parts.fragment or parts.path.endswith("/"):
        return f"paths are added to the address; use https://{host}{parts.path.rstrip('/')}, without what follows"
    if parts.hostname == _AZURE and provider == "azure-devops":
        organization, _, rest = parts.path.strip("/").partition("/")
        if not organization:
            return f"the organization is missing; use one like {example}"
        return f"the project is in each repository's name; use https://{_AZURE}/{organization}" if rest else None
    right = _PUBLIC.get(parts.hostname)
    return f"this is not the address of the API; use {right}" if right not in (None, address) else None


def plain_http_fault(address: str) -> str | None:
    """What is wrong with an address that begins with http, where it is not of this machine; None for any other."""
    parts = _parts(address)
    if parts.scheme != "http" or not parts.hostname or parts.hostname in _LOCAL:
        return None
    host = parts.netloc.rpartition("@")[2]
    return f"http does not encrypt what is sent, and is for this machine alone; use https://{host}{parts.path}"


def improbable_api(address: str, provider: str) -> str | None:
    """The address that is probably meant on a server of one's own; None if it is the one that is written."""
    parts = _parts(address)
    if parts.hostname in (*_LOCAL, *_PUBLIC, _AZURE) or parts.scheme != "https":
        return None
    base = f"https://{parts.netloc}"
    if provider == "bitbucket-server":
        path = re.sub(r"/rest(/.*)?$", "", parts.path)
        return f"{base}{path}" if path != parts.path else None
    end = _ENDS.get(provider)
    if end is None or parts.path.endswith(end) or (provider == "github" and parts.netloc.startswith("api.")):
        return None
    return f"{base}{re.sub(r'/api(/.*)?$', '', parts.path)}{end}"


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        # Reading it may fail, too.
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts
