"""Settings for all tests."""

import os
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings

# A logger of a module takes its name when the module is first imported, which a test may do before a function is.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "amplify-jobs")

# How long an example takes says nothing on a machine that does other work beside it.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")

# botocore parses AWS's models anew for each session, and the tests make hundreds of sessions. Each session gets a copy
# of its own: botocore takes the bucket out of the paths in its model of S3 when the first call is made.
_load_file = JSONFileLoader.load_file


@cache
def _pickled_model(path: str) -> bytes:
    return pickle.dumps(_load_file(JSONFileLoader(), path), pickle.HIGHEST_PROTOCOL)


def _load_file_once(_: JSONFileLoader, file_path: str) -> Any:
    return pickle.loads(_pickled_model(file_path))


JSONFileLoader.load_file = _load_file_once  # type: ignore[assignment, method-assign]

ROOT = Path(__file__).parent

# A test that takes so long hangs, however busy the machine is. Its process then ends with the stacks of all threads;
# pytest-xdist counts the test as failed and goes on in another process. Hypothesis looks for the simplest failure for
# up to five minutes, which is no hang. Tests that start a local cloud, builds or generators wait for them with limits
# of their own, which come first and say more.
LIMIT_SECONDS = {"unit": 420, "template": 420, "cli": 420}
LONGEST_SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("timeout") is None:
            folder = item.path.relative_to(ROOT).parts[0]
            # By a thread: hypothesis would take an error for a failure of an example, and try it again.
            item.add_marker(pytest.mark.timeout(LIMIT_SECONDS.get(folder, LONGEST_SECONDS), method="thread"))
