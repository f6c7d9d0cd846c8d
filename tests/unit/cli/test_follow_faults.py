"""What is said of a `follow` that can't be."""

from __future__ import annotations

import pytest

from amplify_jobs_cli.routes_file.load import check_routes


@pytest.mark.parametrize("follow", ["true", "false", "[{apps: d1}]", "[{branches: [main, 'release/*']}, {apps: [d1]}]"])
def test_a_right_one_has_no_fault(follow: str) -> None:
    checked = check_routes(f"routes: {{}}\nfollow: {follow}\n".encode(), "amplify-jobs")
    assert (checked.faults, checked.warnings) == ((), ())


@pytest.mark.parametrize(
    ("follow", "fault"),
    [
        ("3", "2:9: follow: 3 is not true or false; use true or false"),
        ("{apps: d1}", "2:1: follow: this is an object, not true or false; use true or false"),
        ("[]", "2:1: follow: is empty; use true or false"),
        ("[{}]", "2:10: follow.0: apps and branches are missing; use follow: true for all jobs"),
        ("[{app: d1}]", "2:11: follow.0.app: unknown member app; use apps"),
        ("[{apps: []}]", "2:11: follow.0.apps: is empty; use the ids of apps, like [d1a2b3c4d5e6]"),
        (
            "[{branches: /x}]",
            '2:21: follow.0.branches: no branch begins or ends with / or has //; use "x"',
        ),
    ],
)
def test_a_wrong_one_is_named_with_what_is_right(follow: str, fault: str) -> None:
    checked = check_routes(f"routes: {{}}\nfollow: {follow}\n".encode(), "amplify-jobs")
    assert [f"{one.line}:{one.column}: {one.path}: {one.message}" for one in checked.faults] == [fault]
