"""The jobs table as one object, for functions that need several kinds of items."""

from __future__ import annotations

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.jobs_table.latest import LatestRequests
from amplify_jobs.aws.jobs_table.leases import Leases
from amplify_jobs.aws.jobs_table.records import Records
from amplify_jobs.aws.jobs_table.requests import Requests


class JobsTable(Leases, Requests, LatestRequests, Records):
    """The jobs table. Every method raises ServiceTrouble when DynamoDB fails or does not answer."""

    @classmethod
    def connect(cls, table_name: str) -> JobsTable:
        """Build it with a boto3 client that goes where the environment says."""
        return cls(Table(dynamodb_client(), table_name))
