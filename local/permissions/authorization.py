"""Lets who acts in a role of the template do what the role's policies allow, and nothing else.

Only identity-based policies count here; NOT_EVALUATED names the others. Errors are worded as AWS words them:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Request

from local.permissions.accesses import Place, accesses
from local.permissions.policies import Access, Decision, decide
from local.permissions.roles import Roles, RoleSession
from local.server.protocol.errors import ServiceError
from local.server.protocol.models import protocol_of

ACCESS_KEY = re.compile(r"Credential=([^/,\s]+)/")

NOT_EVALUATED = (
    "policies of resources (buckets, queues, topics, buses, keys, functions' permissions)",
    "trust policies and permissions boundaries of roles",
    "service and resource control policies of an organization",
    "keys of KMS",
    "what services do without a call of the stack (log delivery, X-Ray, writing a function's log)",
    "calls with credentials that were given to no role",
)
"""What can refuse a call on AWS, or is allowed there, that the local cloud knows nothing of."""

ALWAYS_ALLOWED = frozenset({"sts:GetCallerIdentity"})

REFUSALS = {"sns": "AuthorizationError", "sqs": "AccessDenied", "s3": "AccessDenied"}
"""What services call a refusal where it is neither their protocol's usual name nor in their model."""


class Authorization:
    """Decides for each call of a role's session, and counts what was asked.

    `parameters` gives a call's parameters under AWS's names; `machine_of` the ARN of the state machine that waits for a
    task token.
    """

    def __init__(
        self,
        roles: Roles,
        *,
        account: str,
        region: str,
        machine_of: Callable[[str], str | None],
    ) -> None:
        self.roles = roles
        self._account = account
        self._region = region
        self._machine_of = machine_of
        self._lock = threading.Lock()
        self._accesses: dict[str, Counter[Access]] = {}

    def session(self, request: Request) -> RoleSession | None:
        """Whose session of a role signed a request; None if it is anybody's."""
        match = ACCESS_KEY.search(request.headers.get("Authorization", ""))
        if match is not None:
            return self.roles.session(match[1])
        presigned = request.args.get("X-Amz-Credential", "").partition("/")[0] or request.args.get("AWSAccessKeyId")
        return self.roles.session(presigned) if presigned else None

    def principal(self, session: RoleSession | None) -> str:
        """The ARN of a caller; anybody is taken for the account's owner, who may do everything."""
        return f"arn:aws:iam::{self._account}:root" if session is None else session.arn

    def check(self, session: RoleSession, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Raises ServiceError, as the service would, for a call that a session may not make."""
        place = Place(self._account, self._region, session.role.arn)
        for access in accesses(service, operation, parameters, place, machine_of=self._machine_of):
            self._require(session, service, access)

    def check_action(self, role_arn: str | None, session_name: str, action: str, resource: str) -> None:
        """The same for what a service does in a role without a call; a role that is not known may do everything."""
        credentials = self.roles.assume(role_arn, session_name) if role_arn else None
        session = self.roles.session(credentials.access_key_id) if credentials else None
        if session is not None:
            self._require(session, action.partition(":")[0], Access(action, resource))

    def may(self, request: Request, action: str, resource: str) -> bool:
        """Whether the sender of a request that is none of a service's operations may do something."""
        session = self.session(request)
        return session is None or self._decide(session, Access(action, resource)) is Decision.ALLOWED

    def _require(self, session: RoleSession, service: str, access: Access) -> None:
        if access.action in ALWAYS_ALLOWED:
            return
        decision = self._decide(session, access)
        if decision is not Decision.ALLOWED:
            raise refusal(service, session.arn, access, decision)

    def _decide(self, session: RoleSession, access: Access) -> Decision:
        with self._lock:
            self._accesses.setdefault(session.role.name, Counter())[access] += 1
        return decide(session.role.policies, access)

    def accesses(self) -> Mapping[str, Sequence[Access]]:
        """All that was asked for so far, by the name of the role."""
        with self._lock:
            return {name: list(counter) for name, counter in self._accesses.items()}

    def report(self) -> dict[str, Any]:
        """What each role asked for, how often and with which decision, and what of its policies is not evaluated."""
        unknown = self.roles.not_evaluated()
        with self._lock:
            counted = {name: dict(counter) for name, counter in self._accesses.items()}
        return {
            "roles": {
                role.name: {
                    "accesses": [
                        {
                            "action": access.action,
                            "resource": access.resource,
                            "count": count,
                            "decision": decide(role.policies, access).value,
                        }
                        for access, count in sorted(
                            counted.get(role.name, {}).items(), key=lambda item: (item[0].action, item[0].resource)
                        )
                    ],
                    "notEvaluated": list(unknown.get(role.name, ())),
                }
                for role in self.roles.all()
            },
            "notEvaluated": list(NOT_EVALUATED),
        }


def refusal(service: str, principal: str, access: Access, decision: Decision) -> ServiceError:
    """The error of a call that policies do not allow."""
    reason = (
        "with an explicit deny in an identity-based policy"
        if decision is Decision.DENIED
        else f"because no identity-based policy allows the {access.action} action"
    )
    message = f"User: {principal} is not authorized to perform: {access.action} on resource: {access.resource} {reason}"
    protocol = protocol_of(service)
    usual = "AccessDenied" if protocol in {"query", "ec2", "rest-xml"} else "AccessDeniedException"
    return ServiceError(REFUSALS.get(service, usual), message, 400 if protocol == "json" else 403)
