"""The commands that put missing secrets into SSM; none has the secret in it, so no history has it either."""

from __future__ import annotations

import shlex

from amplify_jobs.routing.report_targets import ChatWebhook, RepositoryTarget, Target, Webhook

# How the shell makes a secret, where a provider does not take any text: a key in base64, or user and password.
_SECRETS = {
    "standard": "whsec_$(openssl rand -base64 32)",
    "azure-devops": "amplify-jobs:$(openssl rand -hex 32)",
}


def source_commands(name: str, provider: str, region: str) -> tuple[str, str]:
    """The commands that make a source's secret, and that show it to copy it to the host's webhook settings."""
    value = _SECRETS.get(provider, "$(openssl rand -hex 32)")
    return (
        f'aws ssm put-parameter --type SecureString {_place(name, region)} --value "{value}"',
        f"aws ssm get-parameter --with-decryption {_place(name, region)} --query Parameter.Value --output text",
    )


def missing_text(name: str, target: Target, region: str) -> str:
    """Say that a target's secret is missing, and how it comes into SSM: a key is made, the rest comes from the host."""
    if isinstance(target, Webhook):
        make, show = source_commands(name, "standard", region)
        return f"{name} is missing. Create it, and show it to copy it to the receiver:\n    {make}\n    {show}"
    if isinstance(target, RepositoryTarget) and name == target.key:
        command = f"aws ssm put-parameter --type SecureString {_place(name, region)} --value file://APP.private-key.pem"
        return (
            f"{name} is missing. Create a private key of the App, and store the file that GitHub gives:\n    {command}"
        )
    return pasted_text(name, "the webhook's address" if isinstance(target, ChatWebhook) else "the token", region)


def pasted_text(name: str, noun: str, region: str) -> str:
    """Say that a secret is missing that a host gives, and how it comes into SSM."""
    # From standard input: of an address as an argument, version 1 of the AWS CLI stores what the address answers.
    return (
        f"{name} is missing. Run this, paste {noun}, and press Enter:\n"
        '    read -rs SECRET && printf %s "$SECRET" | aws ssm put-parameter --type SecureString '
        f"{_place(name, region)} --value file:///dev/stdin"
    )


def _place(name: str, region: str) -> str:
    return f"--name {shlex.quote(name)} --region {shlex.quote(region)}"
