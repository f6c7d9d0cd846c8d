"""Whether AWS's code generators can run here."""

import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])


def _has_node() -> bool:
    if shutil.which("npm") is None or (node := shutil.which("node")) is None:
        return False
    version = re.match(
        r"v(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    )
    return version is not None and int(version[1]) >= 20


# Deselected unless `make codegen` asks for them: their packages are large, and they are slow.
NEEDS_NODE = [
    pytest.mark.node,
    pytest.mark.skipif(not _has_node(), reason="Node 20 or newer, and npm, are not on the PATH"),
]


def needs_node(test: Test) -> Test:
    """Mark a test that runs AWS's generators."""
    for mark in NEEDS_NODE:
        test = mark(test)
    return test
