"""What is read of a codegen job's manifest and statusMessage, whatever they hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.results import (
    MOST_FILES,
    RESULTS_BYTES,
    MissingFile,
    Output,
    PartialError,
    Results,
    all_errors,
    bounded,
    counted,
    partial_errors,
    read_manifest,
)

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


@pytest.mark.parametrize(
    ("message", "errors"),
    [
        (None, []),
        ("", []),
        ("The generator broke", []),
        ("[]", []),
        ('{"codegenErrors": 5}', []),
        ('{"codegenErrors": [{"schemaName": "A", "error": "no"}, 5]}', [("A", "no")]),
        ('{"codegenErrors": [{}]}', [(None, "UI Builder gave no reason")]),
        ("[" * 100_000, []),
    ],
)
def test_single_failures(message: str | None, errors: list[tuple[str | None, str]]) -> None:
    assert [(error.schema_name, error.error) for error in partial_errors(message)] == errors


def test_an_error_that_is_told_twice_comes_once() -> None:
    one, two = PartialError(schema_name="A", error="no"), PartialError(schema_name="B", error="no")
    assert all_errors([one, two], [two, one]) == (one, two)


# ---------------------------------------------------------------- what travels


long_texts = st.text(max_size=20) | st.integers(0, 6_000).map(lambda length: "é" * length)
results = st.builds(
    Results,
    folder=st.just("s3://bucket/results/forms-1/"),
    files=st.lists(st.integers(1, 900).map(lambda length: "s3://b/" + "x" * length), max_size=600).map(tuple),
    partial_errors=st.lists(st.builds(PartialError, schema_name=long_texts, error=long_texts), max_size=300).map(tuple),
    missing=st.lists(st.builds(MissingFile, name=long_texts, reason=long_texts), max_size=300).map(tuple),
)


@given(results)
def test_results_are_bounded_in_bytes_and_what_is_left_out_is_counted(made: Results) -> None:
    kept = bounded(made)
    assert len(json.dumps(kept.model_dump(mode="json", by_alias=True))) < RESULTS_BYTES + 1_000
    assert bounded(kept) == kept
    assert kept.files == made.files[: len(kept.files)]
    assert len(kept.files) + kept.more_files == len(made.files)
    for those, all_of_them in ((kept.partial_errors, made.partial_errors), (kept.missing, made.missing)):
        if len(those) != len(all_of_them) or (those and "more" in str(those[-1])):
            assert len(those) - 1 + int(str(those[-1]).split("and ")[1].split(" more")[0]) == len(all_of_them)


def test_ordinary_results_are_all_there() -> None:
    """As many files as are fetched, with names as forms have them."""
    files = tuple(f"s3://amplify-jobs-bucket-1a2b3c4d/results/forms-{'0' * 32}/Form{n}.jsx" for n in range(MOST_FILES))
    made = Results(folder="s3://b/", files=files, partial_errors=(PartialError(schema_name="A", error="no"),))
    assert bounded(made) == made


@given(st.lists(st.text(max_size=300), max_size=100), st.integers(100, 5_000))
def test_what_does_not_fit_is_counted(texts: list[str], limit: int) -> None:
    kept = counted(texts, limit, str)
    assert len(json.dumps(kept)) <= limit + len("[]")
    assert list(kept) == texts or kept[-1] == f"and {len(texts) - len(kept) + 1} more"
