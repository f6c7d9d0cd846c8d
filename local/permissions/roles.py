"""The roles of the template: their policies, and the credentials that are given to what acts in a role.

A role is real on AWS; here it is a name for its policies. Credentials that were given to no role are anybody's, and may
do everything.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from local.permissions.policies import Policy

TOKEN_PREFIX = "IQoJb3JpZ2lu//////////8+/="  # noqa: S105 -- of no use alone
"""Tokens of AWS have such characters, which some of a token's places want quoted and others do not."""


@dataclass(frozen=True)
class Credentials:
    """The three parts of temporary credentials."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    def variables(self) -> dict[str, str]:
        """The environment variables that clients read them from."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


@dataclass
class Role:
    """A role by its ARN, with the policies that it has by now."""

    arn: str
    policies: list[Policy]

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class RoleSession:
    """Somebody who acts in a role."""

    role: Role
    name: str

    @property
    def arn(self) -> str:
        account = self.role.arn.split(":")[4]
        return f"arn:aws:sts::{account}:assumed-role/{self.role.name}/{self.name}"


class Roles:
    """All roles, by ARN."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[str, Role] = {}
        self._sessions: dict[str, RoleSession] = {}
        self._credentials: dict[tuple[str, str], Credentials] = {}

    def add(self, arn: str, policies: Sequence[Policy]) -> None:
        """Make a role, unless it is there already."""
        with self._lock:
            self._roles.setdefault(arn, Role(arn, list(policies)))

    def attach(self, name: str, policy: Policy) -> None:
        """Give a role one more policy; raises KeyError for a role that is not known."""
        with self._lock:
            role = next((role for role in self._roles.values() if role.name == name), None)
            if role is None:
                raise KeyError(name)
            role.policies.append(policy)

    def all(self) -> Sequence[Role]:
        with self._lock:
            return list(self._roles.values())

    def session(self, access_key_id: str) -> RoleSession | None:
        """Who was given an access key, or None for one that belongs to no role."""
        return self._sessions.get(access_key_id)

    def credentials(self, access_key_id: str) -> Credentials | None:
        """The credentials of an access key, or None for one that belongs to no role."""
        with self._lock:
            session = self._sessions.get(access_key_id)
            return self._credentials[session.role.arn, session.name] if session else None

    def assume(self, arn: str, session_name: str | None = None) -> Credentials | None:
        """Credentials of a role, the same ones for the same session; None for a role that is not of the template."""
        with self._lock:
            role = self._roles.get(arn)
            if role is None:
                return None
            name = session_name or uuid4().hex
            if (arn, name) not in self._credentials:
                key = f"ASIA{secrets.token_hex(8).upper()}"
                token = TOKEN_PREFIX + base64.b64encode(secrets.token_bytes(60)).decode()
                self._credentials[arn, name] = Credentials(key, secrets.token_urlsafe(30), token)
                self._sessions[key] = RoleSession(role, name)
            return self._credentials[arn, name]

    def not_evaluated(self) -> Mapping[str, Sequence[str]]:
        """What of each role's policies is not evaluated, by the role's name."""
        texts_by_role = {
            role.name: sorted({text for policy in role.policies for text in policy.not_evaluated})
            for role in self.all()
        }
        return {name: texts for name, texts in texts_by_role.items() if texts}
