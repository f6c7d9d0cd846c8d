"""How a build specification is read as YAML: every scalar is text, and no key is in a mapping twice."""

from __future__ import annotations

from typing import Any

import yaml

MERGE = "tag:yaml.org,2002:merge"


class BuildSpecError(Exception):
    """The build specification can't be used; the message says what is wrong, where, and what would be right."""


class TextLoader(yaml.SafeLoader):
    """Reads every scalar as the text that it is: `NODE: 18.10` and `CI: yes` are no number and no truth value.

    Refuses a key that is in a mapping twice, as Amplify does; PyYAML would take the last and drop the others.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            if key.value in keys:
                place = f"line {key.start_mark.line + 1}, column {key.start_mark.column + 1}"
                raise BuildSpecError(
                    f"Unable to parse build spec: duplicated mapping key at {place}: "
                    f"{shown(key.value)} is already in this mapping; keep one of the two"
                )
            keys.add(key.value)
        return node


_PLAIN_TAGS = {"tag:yaml.org,2002:null", MERGE}
TextLoader.yaml_implicit_resolvers = {
    first: remainder
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (remainder := [resolver for resolver in resolvers if resolver[0] in _PLAIN_TAGS])
}
_CONSTRUCTED = {"null", "str", "seq", "map"}
TextLoader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in _CONSTRUCTED
}


def shown(value: Any) -> str:
    """A value for an error message: its kind, and itself where it is short."""
    match value:
        case None:
            return "nothing"
        case str():
            return repr(value if len(value) <= 40 else value[:40] + "…")
        case dict():
            return "a mapping"
        case _:
            return "a list"
