"""Whether AWS's code generators can run here."""

import re
import shutil
import subprocess

import pytest


def _has_node() -> bool:
    if shutil.which("npm") is None or (node := shutil.which("node")) is None:
        return False
    version = re.match(
        r"v(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    )
    return version is not None and int(version[1]) >= 20


needs_node = pytest.mark.skipif(not _has_node(), reason="Node 20 or newer, and npm, are not on the PATH")
