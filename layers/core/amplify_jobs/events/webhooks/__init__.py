"""Webhooks: one module a git host, without input or output of its own (headers, bytes, secrets in; events out)."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from amplify_jobs.events.deliveries import Provider

# Provider in routes.yaml -> the module here that knows it. A module is loaded when a source needs it.
# CodeCommit is not among them: its events come from EventBridge.
PROVIDERS = {
    "github": "github",
    "gitlab": "gitlab",
    "bitbucket": "bitbucket",
    "bitbucket-server": "bitbucket_server",
    "gitea": "gitea",
    "forgejo": "forgejo",
    "azure-devops": "azure_devops",
    "standard": "standard",
}


def provider(provider_name: str) -> Provider:
    """The module that knows a provider of PROVIDERS."""
    return cast(Provider, import_module(f"{__name__}.{PROVIDERS[provider_name]}"))
