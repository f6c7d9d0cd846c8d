"""Webhooks: one module a git host, without input or output of its own (headers, bytes, secrets in; events out)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from amplify_jobs.events.deliveries import Provider


@dataclass(frozen=True)
class ProviderRow:
    """What must be known of a provider before its module is loaded.

    `id_headers` are those of which the first that a delivery has is its id, for people to find it by: most hosts do not
    sign it.
    """

    title: str
    id_headers: tuple[str, ...] = ()
    is_git_host: bool = True


# Provider in routes.yaml -> its row; its module here has the same name, and is loaded when a source needs it.
PROVIDERS = {
    "github": ProviderRow("GitHub", ("X-GitHub-Delivery",)),
    # Before GitLab 17.4 only the second.
    "gitlab": ProviderRow("GitLab", ("Idempotency-Key", "X-Gitlab-Event-UUID")),
    "bitbucket": ProviderRow("Bitbucket Cloud", ("X-Request-UUID",)),
    "bitbucket-server": ProviderRow("Bitbucket Data Center", ("X-Request-Id",)),
    "gitea": ProviderRow("Gitea", ("X-Gitea-Delivery",)),
    "forgejo": ProviderRow("Forgejo", ("X-Forgejo-Delivery",)),
    # The id is in the body, where parse finds it.
    "azure-devops": ProviderRow("Azure DevOps"),
    "standard": ProviderRow("Standard Webhooks", ("webhook-id",), is_git_host=False),
}
# Proxies add this one to the deliveries of any host, so it is the last choice.
_GENERAL_ID_HEADER = "X-Request-Id"
_HOST_ID_HEADERS = [name for row in PROVIDERS.values() for name in row.id_headers if name != _GENERAL_ID_HEADER]
# For a delivery whose provider is not known.
ALL_ID_HEADERS = (*_HOST_ID_HEADERS, _GENERAL_ID_HEADER)


def module_of(provider_name: str) -> str:
    """The name of the module that knows a provider of PROVIDERS."""
    return f"{__name__}.{provider_name.replace('-', '_')}"


def provider(provider_name: str) -> Provider:
    """The module that knows a provider of PROVIDERS."""
    return cast(Provider, import_module(module_of(provider_name)))
