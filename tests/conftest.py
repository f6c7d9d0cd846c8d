"""Settings for all tests."""

import gc
import os
import signal
from collections.abc import Generator
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader
from hypothesis import settings

from tests.support.distribution import ModuleScheduling

# A logger of a module takes its name when the module is first imported, which a test may do before a function is.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "amplify-jobs")

# A shell that starts the tests in the background has them ignore Ctrl-C, and so do the programs that they press it for.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says nothing on a machine that does other work beside it.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")


# botocore looks for AWS's models anew and parses them anew for each session, and the tests make hundreds of sessions.
# What clients change in a model is the same for all of them: they take the bucket out of the paths of S3. The local
# cloud reads the models by a loader of its own.
class _SharedLoader(Loader):
    @property
    def search_paths(self) -> list[str]:
        # A copy, since each session of boto3 would append boto3's folder once more.
        return [*super().search_paths, str(Path(boto3.__file__).parent / "data")]


_LOADER = _SharedLoader()


def _load_by_one(search_path_string: str | None = None) -> Loader:
    return _LOADER


botocore.session.create_loader = _load_by_one

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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # Tests and modules stay to the end: the garbage collector would look at each of them again and again.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> ModuleScheduling:
    return ModuleScheduling(len(config.getoption("tx")))
