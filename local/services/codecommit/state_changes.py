"""The events that changes of branches and tags make on the default bus.

Source: CodeCommit user guide, "Monitoring CodeCommit events in Amazon EventBridge"; schema
aws.codecommit@CodeCommitRepositoryStateChange.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.services.codecommit.git import BRANCHES, TAGS

DETAIL_TYPE = "CodeCommit Repository State Change"


@dataclass(frozen=True)
class Identity:
    """What events say of a repository: its name, id and ARN."""

    name: str
    id: str
    arn: str


def state_changes(
    identity: Identity, before: Mapping[str, str], after: Mapping[str, str], caller: str
) -> Iterator[dict[str, Any]]:
    """The events between two states of the refs, in the order of their names; `caller` is an ARN."""
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref), after.get(ref)
        if old == new:
            continue
        action = "referenceCreated" if old is None else "referenceDeleted" if new is None else "referenceUpdated"
        commits = {"commitId": new, "oldCommitId": old}
        yield {
            "source": "aws.codecommit",
            "detail-type": DETAIL_TYPE,
            "resources": [identity.arn],
            "detail": {
                "event": action,
                "repositoryName": identity.name,
                "repositoryId": identity.id,
                "referenceType": "branch" if ref.startswith(BRANCHES) else "tag",
                "referenceName": ref.removeprefix(BRANCHES).removeprefix(TAGS),
                "referenceFullName": ref,
                **{name: commit for name, commit in commits.items() if commit is not None},
                "callerUserArn": caller,
            },
        }
