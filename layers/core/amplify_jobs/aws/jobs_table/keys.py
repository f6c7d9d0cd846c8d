"""The keys of the jobs table.

pk `region#appId#branch`
    sk `job#<id padded to ten digits>`: the record of a branch's job (records.py).
    sk `attempt`: the branch's lease, which is held while it names a request (leases.py).
    sk `latest#<kind>`: the request whose event is the newest of its kind, among those that supersede (latest.py).
pk `region#appId#environment`
    sk `<operation>#<time>#<id>`: the record of a job that generates code or models (records.py).
pk `request#<request id>`
    sk `request`: what is known of a request (requests.py). The id is followed by `#<attempt>` where a failed job was
    started again.
pk `mirror#<repository>#<branch>`
    sk `mirror`: which requests set a branch of a mirror (mirrored.py).
pk `previews`
    sk `<appId>#<branch>`: what is known of a preview of a pull request (previews.py).
pk `ref#<source>#<repository>#<ref>`
    sk `ref`: which events of a ref that is reconciled were processed (../ref_records.py).

A branch's job has the attribute `followed` (`region#appId`) from its start to its end: the partition key of the index
FOLLOWED_INDEX, which holds nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime

from amplify_jobs.model.job import BranchRef, Job, JobRef, RecordKey

FOLLOWED_INDEX = "followed"
PREVIEWS = "previews"

Key = dict[str, str]


def record_key(region: str, job: Job, received_at: datetime) -> RecordKey:
    """The key of any job's record; records of one operation, app and environment sort by when they were requested.

    Only jobs of Amplify Hosting have ids that count up, and events that name them.
    """
    if job.branch_name is not None:
        return job_key(JobRef(BranchRef(region, job.app_id, job.branch_name), job.job_id))
    time = received_at.astimezone(UTC).isoformat(timespec="microseconds")
    partition = f"{region}#{job.app_id}#{job.require_environment()}"
    return RecordKey({"pk": partition, "sk": f"{job.operation}#{time}#{job.job_id}"})


def job_key(job: JobRef) -> RecordKey:
    """The key of the record of a branch's job; ids are padded so that they sort as numbers."""
    return RecordKey({"pk": _branch_partition(job.branch), "sk": f"job#{job.job_id.zfill(10)}"})


def job_of(key: RecordKey) -> JobRef:
    """Read the key of a branch's job. Ids of apps have no `#`, names of branches may."""
    region, app_id, name = key["pk"].split("#", 2)
    return JobRef(BranchRef(region, app_id, name), str(int(key["sk"].removeprefix("job#"))))


def lease_key(branch: BranchRef) -> Key:
    """The key of a branch's lease."""
    return {"pk": _branch_partition(branch), "sk": "attempt"}


def latest_key(branch: BranchRef, kind: str) -> Key:
    """The key of the latest request of a kind of event."""
    return {"pk": _branch_partition(branch), "sk": f"latest#{kind}"}


def request_key(request_id: str) -> Key:
    """The key of what is known of a request."""
    return {"pk": f"request#{request_id}", "sk": "request"}


def mirrored_key(repository: str, branch: str) -> Key:
    """The key of what is known of a branch of a mirror."""
    return {"pk": f"mirror#{repository}#{branch}", "sk": "mirror"}


def preview_key(app_id: str, branch_name: str) -> Key:
    """The key of what is known of a preview."""
    return {"pk": PREVIEWS, "sk": f"{app_id}#{branch_name}"}


def followed_partition(region: str, app_id: str) -> str:
    """The partition of FOLLOWED_INDEX that has the jobs of an app."""
    return f"{region}#{app_id}"


def _branch_partition(branch: BranchRef) -> str:
    return f"{branch.region}#{branch.app_id}#{branch.name}"
