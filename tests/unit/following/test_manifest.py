"""What is read of a codegen job's manifest, whatever it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.following.manifest import MOST_FILES, Output, read_manifest
from amplify_jobs.model.results import MissingFile, PartialError

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
entries = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("fileName", "schemaName", "downloadUrl", "error"), anything)
)


def manifest(*output: Any) -> bytes:
    return json.dumps({"Output": output}).encode()


def test_a_manifest() -> None:
    url = "https://files.example/a?signature=x"
    read = read_manifest(
        manifest(
            {"fileName": "A.jsx", "schemaName": "A", "downloadUrl": url},
            {"fileName": "ui/B.d.ts", "schemaName": "B", "downloadUrl": url},
            {"fileName": "C.jsx", "schemaName": "C", "error": "Values could not be found for enum X"},
        )
    )
    assert read.outputs == (Output("A.jsx", url), Output("ui/B.d.ts", url))
    assert read.errors == (PartialError(schema_name="C", error="Values could not be found for enum X"),)
    assert read.missing == ()
    assert [entry["fileName"] for entry in read.entries] == ["A.jsx", "ui/B.d.ts", "C.jsx"]
    assert url not in str(read.entries)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a/./b",
        ".hidden",
        "a//b",
        "a\\b",
        "a\n",
        "a\x00b",
        "x" * 151,
        "é.js",
        "a/b/c/d/e/f",
    ],
)
def test_a_name_that_could_lead_elsewhere_is_not_taken(name: str) -> None:
    read = read_manifest(manifest({"fileName": name, "downloadUrl": "https://files.example/a"}))
    assert read.outputs == ()
    assert len(read.missing) == 1


@pytest.mark.parametrize("name", ["index.js", "PostCreateForm.d.ts", "ui-components/Post Form@2.jsx", "_a.json"])
def test_a_name_of_a_file(name: str) -> None:
    read = read_manifest(manifest({"fileName": name, "downloadUrl": "https://files.example/a"}))
    assert [output.name for output in read.outputs] == [name]


def test_a_name_that_comes_twice_is_kept_once() -> None:
    one = {"fileName": "a.js", "downloadUrl": "https://files.example/1"}
    read = read_manifest(manifest(one, {**one, "downloadUrl": "https://files.example/2"}))
    assert read.outputs == (Output("a.js", "https://files.example/1"),)
    assert read.missing == (MissingFile(name="a.js", reason="the manifest names it twice; the first is kept"),)


def test_more_files_than_can_be_announced_are_counted() -> None:
    files = [{"fileName": f"{n}.js", "downloadUrl": "https://files.example/"} for n in range(3 * MOST_FILES)]
    read = read_manifest(manifest(*files))
    assert len(read.outputs) == MOST_FILES
    assert len(read.missing) == 2 * MOST_FILES
    assert read.missing[-1].reason == f"the job made more than {MOST_FILES} files"


@given(
    st.binary()
    | st.builds(lambda value: json.dumps(value).encode(), anything | st.builds(lambda x: {"Output": x}, anything))
)
def test_what_is_no_manifest_is_trouble_or_empty(content: bytes) -> None:
    try:
        read = read_manifest(content)
    except ServiceTrouble:
        return
    assert read.outputs == ()


@given(st.lists(entries, max_size=5))
def test_every_entry_of_a_manifest_is_accounted_for(output: list[dict[str, Any]]) -> None:
    read = read_manifest(manifest(*output))
    assert len(read.outputs) + len(read.errors) + len(read.missing) == len(output)
