"""Patterns match as EventBridge's do, and an operator that would only seem to match is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.services.events import patterns
from local.services.events.patterns import InvalidPatternError

EVENT = {
    "source": "aws.amplify",
    "detail": {"jobStatus": "FAILED", "n": 5, "tags": ["a", "b"], "ip": "10.0.0.1", "none": None},
}


@pytest.mark.parametrize(
    ("detail", "fits"),
    [
        ({"jobStatus": ["SUCCEED", "FAILED"]}, True),
        ({"jobStatus": ["SUCCEED"]}, False),
        ({"jobStatus": [{"prefix": "FA"}]}, True),
        ({"jobStatus": [{"suffix": "ED"}]}, True),
        ({"jobStatus": [{"anything-but": ["FAILED"]}]}, False),
        ({"jobStatus": [{"anything-but": {"prefix": "S"}}]}, True),
        ({"jobStatus": [{"equals-ignore-case": "failed"}]}, True),
        ({"jobStatus": [{"wildcard": "F*D"}]}, True),
        ({"jobStatus": [{"exists": False}]}, False),
        ({"missing": [{"exists": False}]}, True),
        ({"none": [None]}, True),
        ({"n": [{"numeric": [">", 0, "<=", 5]}]}, True),
        ({"n": [{"numeric": ["=", 6]}]}, False),
        ({"tags": ["b"]}, True),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"$or": [{"n": [6]}, {"jobStatus": ["FAILED"]}]}, True),
    ],
)
def test_patterns_match(detail: dict[str, Any], fits: bool) -> None:
    pattern = patterns.load(json.dumps({"source": ["aws.amplify"], "detail": detail}))
    assert patterns.matches(pattern, EVENT) is fits


@pytest.mark.parametrize(
    "pattern",
    [
        [],
        {},
        {"source": "x"},
        {"source": []},
        {"detail": {}},
        {"source": [["x"]]},
        {"source": [{}]},
        {"source": [{"prefix": "a", "suffix": "b"}]},
        {"source": [{"starts-with": "a"}]},
        {"source": [{"prefix": 1}]},
        {"source": [{"prefix": {"wildcard": "x"}}]},
        {"source": [{"exists": "yes"}]},
        {"n": [{"numeric": [">"]}]},
        {"n": [{"numeric": ["~", 1]}]},
        {"n": [{"numeric": [">", "1"]}]},
        {"n": [{"anything-but": {"numeric": [">", 1]}}]},
        {"n": [{"anything-but": []}]},
        {"ip": [{"cidr": "10.0.0.0/99"}]},
        {"$or": [{"n": [1]}]},
        {"$or": [{"n": [1]}, {"n": [{"like": 1}]}]},
    ],
)
def test_what_can_t_be_matched_is_refused(pattern: Any) -> None:
    with pytest.raises(InvalidPatternError, match="Event pattern is not valid"):
        patterns.load(json.dumps(pattern))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_pattern_is_refused_or_can_be_matched(document: Any) -> None:
    try:
        pattern = patterns.load(json.dumps(document))
    except InvalidPatternError:
        return
    assert patterns.matches(pattern, EVENT) in {True, False}


@given(st.dictionaries(st.sampled_from(["source", "detail-type"]), st.text(max_size=9), min_size=1))
def test_an_event_matches_the_pattern_of_its_own_values(event: dict[str, str]) -> None:
    pattern = patterns.load(json.dumps({name: [value] for name, value in event.items()}))
    assert patterns.matches(pattern, event)
    assert not patterns.matches(pattern, dict.fromkeys(event, "another value"))
