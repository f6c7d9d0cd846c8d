"""What the mutation run reads: Cosmic Ray's dump, and the changes that docs/mutation.md knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools import mutation
from tools.mutation import Change, NoTestsError, Result

DIFF = """--- mutation diff ---
--- a/x.py
+++ b/x.py
@@ -1,2 +1,2 @@
 def f(a):
-    return a == 1
+    return a != 1
"""


def outcome(test: str, worker: str = "normal", line: int = 2, diff: str = DIFF) -> str:
    item: dict[str, Any] = {"job_id": "1", "mutations": [{"module_path": "x.py", "start_pos": [line, 4]}]}
    return json.dumps([item, {"worker_outcome": worker, "test_outcome": test, "diff": diff}])


def test_survivors_are_read_from_the_dump() -> None:
    skipped = outcome("survived", worker="skipped")
    pending = json.dumps([{"job_id": "2", "mutations": [{"start_pos": [1, 0]}]}, None])
    dump = "\n".join([outcome("killed"), outcome("survived", line=7), outcome("survived", line=7), skipped, pending])
    assert mutation.result_of("x", dump) == Result(3, (Change("x", 7, "return a == 1", "return a != 1"),))


def test_known_survivors_are_the_rows_of_the_docs() -> None:
    survivors = mutation.known_survivors(
        "| module | line | change | why |\n| --- | --- | --- | --- |\n"
        "| x | `return a == 1` | `return a != 1` | it is never 1 |\n"
        "| a.b | `LIMIT = a \\| b` | any | the tests of its users say it |\nNo row: | z | `c` | any |\n"
    )
    assert survivors == {("x", "return a == 1", "return a != 1"), ("a.b", "LIMIT = a | b", "any")}
    assert Change("x", 7, "return a == 1", "return a != 1").is_known(survivors)
    assert Change("a.b", 7, "LIMIT = a | b", "LIMIT = a & b").is_known(survivors)
    assert not Change("x", 7, "return a == 1", "return a > 1").is_known(survivors)
    assert not Change("y", 7, "return a == 1", "return a != 1").is_known(survivors)


def test_a_module_is_tested_by_the_files_that_import_it() -> None:
    assert "tests/unit/starting/test_once.py" in mutation.files_of_tests("starting.lease")
    with pytest.raises(NoTestsError, match=r"imports amplify_jobs\.nothing"):
        mutation.files_of_tests("nothing")
