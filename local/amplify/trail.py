"""CloudTrail's events of calls that end jobs, as an account with a trail gets them from EventBridge.

Source: EventBridge user guide, "AWS service events delivered via AWS CloudTrail"; CloudTrail user guide, "CloudTrail
record contents".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

DETAIL_TYPE = "AWS API Call via CloudTrail"
# CloudTrail tells of every call; these are the ones that somebody here waits for.
ENDING_CALLS = ("StopJob", "DeleteJob", "DeleteBranch", "DeleteApp")


def api_call(name: str, parameters: Mapping[str, Any], *, account: str, region: str, now: datetime) -> dict[str, Any]:
    """The event of a call that Amplify has done; a refused one would have an errorCode."""
    return {
        "source": "aws.amplify",
        "detail-type": DETAIL_TYPE,
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {"type": "Root", "principalId": account, "accountId": account},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "amplify.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "requestParameters": dict(parameters),
            "responseElements": None,
            "requestID": str(uuid4()),
            "eventID": str(uuid4()),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
        },
    }
