"""Results of a job: errors that are told twice, and what travels with the job."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.following.manifest import MOST_FILES
from amplify_jobs.model.results import (
    RESULTS_BYTES,
    MissingFile,
    PartialError,
    Results,
    limit_items,
    limit_results,
    merge_errors,
)


def test_an_error_that_is_told_twice_comes_once() -> None:
    one, two = PartialError(schema_name="A", error="no"), PartialError(schema_name="B", error="no")
    assert merge_errors([one, two], [two, one]) == (one, two)


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
def test_results_are_bounded_in_bytes_and_what_is_left_out_is_counted(result: Results) -> None:
    results = limit_results(result)
    assert len(json.dumps(results.model_dump(mode="json", by_alias=True))) < RESULTS_BYTES + 1_000
    assert limit_results(results) == results
    assert results.files == result.files[: len(results.files)]
    assert len(results.files) + results.more_files == len(result.files)
    for those, all_of_them in ((results.partial_errors, result.partial_errors), (results.missing, result.missing)):
        if len(those) != len(all_of_them) or (those and "more" in str(those[-1])):
            assert len(those) - 1 + int(str(those[-1]).split("and ")[1].split(" more")[0]) == len(all_of_them)


def test_ordinary_results_are_all_there() -> None:
    """As many files as are fetched, with names as forms have them."""
    files = tuple(f"s3://amplify-jobs-bucket-1a2b3c4d/results/forms-{'0' * 32}/Form{n}.jsx" for n in range(MOST_FILES))
    result = Results(folder="s3://b/", files=files, partial_errors=(PartialError(schema_name="A", error="no"),))
    assert limit_results(result) == result


@given(st.lists(st.text(max_size=300), max_size=100), st.integers(100, 5_000))
def test_what_does_not_fit_is_counted(texts: list[str], limit: int) -> None:
    excerpt = limit_items(texts, limit, str)
    assert len(json.dumps(excerpt)) <= limit + len("[]")
    assert list(excerpt) == texts or excerpt[-1] == f"and {len(texts) - len(excerpt) + 1} more"
