"""A target's input is the part or the text of the event that it asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.services.events import input_transformer
from local.services.events.input_transformer import InvalidInputError

EVENT = {
    "id": "1",
    "time": "2024-01-01T00:00:00Z",
    "source": "aws.s3",
    "detail": {"who": 'a "b"', "n": 3, "list": [{"x": 1}], "odd-name": True},
}


def transformer(template: str, **paths: str) -> dict[str, Any]:
    return {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({}, json.dumps(EVENT)),
        ({"Input": '{"a":1}'}, '{"a":1}'),
        ({"InputPath": "$"}, json.dumps(EVENT)),
        ({"InputPath": "$.detail.list[0].x"}, "1"),
        ({"InputPath": "$.detail['odd-name']"}, "true"),
        ({"InputPath": "$.missing.deep"}, "null"),
        (
            transformer('{"w": "<w> said", "n": <n>}', w="$.detail.who", n="$.detail.n"),
            '{"w": "a \\"b\\" said", "n": 3}',
        ),
        (transformer('{"w": <w>}', w="$.detail.who"), '{"w": "a \\"b\\""}'),
        (transformer('"<w> and <unknown>"', w="$.source"), '"aws.s3 and "'),
        (transformer("<w> in words", w="$.source"), "aws.s3 in words"),
        (
            transformer('{"r": "<aws.events.rule-name>", "e": <aws.events.event.json>}'),
            f'{{"r": "rule", "e": {json.dumps(EVENT)}}}',
        ),
        (transformer('{"missing": <m>}', m="$.nothing"), '{"missing": ""}'),
    ],
)
def test_the_input_is_made(target: dict[str, Any], text: str) -> None:
    input_transformer.check(target)
    assert input_transformer.make(target, EVENT, "rule", "arn:rule") == text


@pytest.mark.parametrize(
    "target",
    [
        {"Input": "x"},
        {"InputPath": "detail"},
        {"InputPath": "$..detail"},
        {"InputPath": "$.a[*]"},
        {"Input": "1", "InputPath": "$.a"},
        transformer("x", a="$.a[?(@.b)]"),
    ],
)
def test_what_can_t_be_made_is_refused(target: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        input_transformer.check(target)
