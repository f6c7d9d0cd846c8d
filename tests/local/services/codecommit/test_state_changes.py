"""The events of pushes, as the user guide has them."""

from __future__ import annotations

from local.services.codecommit.state_changes import Identity, state_changes

IDENTITY = Identity("web", "12345678-1234-5678-abcd-12345678abcd", "arn:aws:codecommit:eu-west-1:123456789012:web")
A, B = "a" * 40, "b" * 40


def test_each_ref_that_changed_makes_one_event() -> None:
    before = {"refs/heads/gone": A, "refs/heads/main": A, "refs/heads/same": A}
    after = {"refs/heads/main": B, "refs/heads/same": A, "refs/tags/v1/x": B}
    events = list(state_changes(IDENTITY, before, after, "arn:aws:iam::123456789012:root"))
    named = {
        "repositoryName": "web",
        "repositoryId": IDENTITY.id,
        "callerUserArn": "arn:aws:iam::123456789012:root",
    }
    branch = {"referenceType": "branch", **named}
    assert [event["detail"] for event in events] == [
        {
            "event": "referenceDeleted",
            "referenceName": "gone",
            "referenceFullName": "refs/heads/gone",
            "oldCommitId": A,
            **branch,
        },
        {
            "event": "referenceUpdated",
            "referenceName": "main",
            "referenceFullName": "refs/heads/main",
            "commitId": B,
            "oldCommitId": A,
            **branch,
        },
        {
            "event": "referenceCreated",
            "referenceName": "v1/x",
            "referenceFullName": "refs/tags/v1/x",
            "commitId": B,
            "referenceType": "tag",
            **named,
        },
    ]
    assert {(event["source"], event["detail-type"], *event["resources"]) for event in events} == {
        ("aws.codecommit", "CodeCommit Repository State Change", IDENTITY.arn)
    }
