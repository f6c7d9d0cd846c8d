"""Which modules of tests/end_to_end share a running local cloud, in their order.

A cloud costs about eight seconds of CPU until each of its functions has run once. The modules of a cloud follow one
another in one process, each with apps, pushes and routes of its own; a module that no cloud names has one to itself.
"""

from __future__ import annotations

CLOUDS = {
    "jobs": (
        # Nobody has pushed routes yet.
        "test_following.py",
        "test_recovery.py",
        "test_job.py",
        "test_deferring.py",
        "test_deliveries.py",
        "test_events.py",
        "test_git_hosts.py",
        "test_edges_of_hosts.py",
        "test_operations.py",
        "test_request_limits.py",
        "test_route_options.py",
    ),
    "mirrors and reports": (
        "test_mirrors.py",
        "test_previews.py",
        "test_codecommit.py",
        "test_missed_pushes.py",
        "test_redeliveries.py",
        "test_api.py",
        "test_reports_commands.py",
        "test_reports.py",
        "test_reports_to_aws.py",
        "test_reports_of_hosts.py",
    ),
}
# Begun last, it would let the other processes wait for minutes in make thorough.
LONGEST = "tests/functions/mirroring/test_random_histories.py"
_FOLDER = "tests/end_to_end/"
_ORDER = [(cloud, _FOLDER + name) for cloud, names in CLOUDS.items() for name in names]
_CLOUD_OF = {module: cloud for cloud, module in _ORDER}
_PLACE_OF = {module: place for place, (_, module) in enumerate(_ORDER)}


def cloud_of(module: str) -> str | None:
    """The cloud that a module shares, by its path from the folder of the project; None if it shares none."""
    return _CLOUD_OF.get(module)


def place_of(module: str) -> int:
    """Where a module stands: those of a cloud one after the other, then the longest, and all others after them."""
    return _PLACE_OF.get(module, len(_PLACE_OF) + (module != LONGEST))
