"""YAML as plain values, with the position of each in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from amplify_jobs_cli.routes_file.places import Path, Position
from amplify_jobs_cli.routes_file.problems import At
from amplify_jobs_cli.routes_file.yaml_syntax import LINE_BREAK, SIGNS, syntax_fault

# More come only of aliases within aliases, of which a short file can make any number.
MOST_NODES = 50_000
# YAML's name for the type of the key <<.
_MERGE = "tag:yaml.org,2002:merge"

_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "bool", "null"))


@dataclass(frozen=True)
class Fault:
    """What is wrong at a position of the file, and what to write instead."""

    position: Position
    path: Path
    message: str


class Document:
    """A YAML document: its value in JSON's types, the positions in it, and what is wrong with it as YAML.

    `value` is None and `root` is None where the file can't be read as YAML. Keys are texts as they are written:
    `on` stays `on`.
    """

    def __init__(self, content: bytes) -> None:
        self.text = content.decode("utf-8-sig", errors="replace")
        self.lines = LINE_BREAK.split(self.text)
        self.starts = [0, *(line_break.end() for line_break in LINE_BREAK.finditer(self.text))]
        self.value: Any = None
        self.root: yaml.Node | None = None
        self.faults: list[Fault] = []
        self._keys: dict[Path, Position] = {}
        self._values: dict[Path, Position] = {}
        self._scalars: dict[Path, str] = {}
        # Where maps and lists were met first, where an alias has them again, and whence merged members come.
        self._anchored: dict[yaml.Node, Path] = {}
        self._aliases: dict[Path, Path] = {}
        self._merges: dict[Path, Path] = {}
        self._nodes = 0
        loader: _Loader | None = None
        try:
            content.decode()
            loader = _Loader(self.text)
            self.root = loader.get_single_node()
            if self.root is not None:
                self.value = self._plain(self.root, (), ())
            self._add_faults_of_signs(loader)
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n")
            self._give_up(Position(line + 1, 1), "the file is not UTF-8; save it as UTF-8 text")
        except (RecursionError, _NotPlainError) as error:
            position = error.position if isinstance(error, _NotPlainError) else Position(1, 1)
            self._give_up(position, "the file refers to itself, or is nested too deep or too large; write it out")
        except yaml.YAMLError as error:
            self._give_up(*syntax_fault(error, self.text, self.lines))

    @property
    def readable(self) -> bool:
        """Whether the file could be read as YAML."""
        return not any(fault.path == () and self.root is None for fault in self.faults)

    def position(self, path: Path, at: At = "value") -> Position:
        """The position of a member or list item, or of the innermost thing around it that the file has.

        A member is marked at its value if that is one text or number, else at its name.
        """
        for end in range(len(path), -1, -1):
            part = path[:end]
            key, value = self._keys.get(part), self._values.get(part)
            if key is not None and (value is None or at == "key" or end < len(path) or not self._scalars.get(part)):
                return self._inside(key)
            if value is not None:
                return self._inside(value)
        return Position(1, 1)

    def scalar(self, path: Path) -> str | None:
        """A text or number as it is written, without quotes; None for a list, an object and nothing."""
        return self._scalars.get(path)

    def origin(self, path: Path) -> Path:
        """Where the file writes what lies at a path: in the case of an alias, at the anchor."""
        for end in range(len(path), 0, -1):
            # An alias itself is a value of the place where it stands.
            anchor = self._merges.get(path[:end]) or (self._aliases.get(path[:end]) if end < len(path) else None)
            if anchor is not None:
                return (*anchor, *path[end:])
        return path

    def _give_up(self, position: Position, message: str) -> None:
        self.value = self.root = None
        self.faults = [Fault(self._inside(position), (), message)]

    def _inside(self, position: Position) -> Position:
        """The position itself, or the last character before it: there is nothing to see at the end of the file."""
        line, column = min(position.line, len(self.lines)), position.column
        while line > 1 and (line < position.line or column > 1) and not self.lines[line - 1].strip():
            line -= 1
        width = len(self.lines[line - 1])
        if line < position.line or column > width:
            return Position(line, max(1, len(self.lines[line - 1].rstrip())))
        return Position(line, column, max(1, min(position.length, width - column + 1)))

    def _add_faults_of_signs(self, loader: _Loader) -> None:
        for sign, mark in loader.signs:
            start = (mark.line + 1, mark.column + 1)
            path = next((path for path, at in self._values.items() if (at.line, at.column) == start), ())
            self.faults.append(Fault(Position(*start), path, SIGNS[sign]))

    def _plain(self, node: yaml.Node, path: Path, around: tuple[int, ...]) -> Any:
        self._nodes += 1
        position = _position_of(node)
        if id(node) in around or self._nodes > MOST_NODES:
            raise _NotPlainError(position)
        around = (*around, id(node))
        self._values[path] = position
        if isinstance(node, yaml.CollectionNode) and self._anchored.setdefault(node, path) != path:
            self._aliases[path] = self._anchored[node]
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(inner, (*path, index), around) for index, inner in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._members(node, path, around)
        self._scalars[path] = node.value
        return self._scalar(node, path)

    def _members(self, node: yaml.MappingNode, path: Path, around: tuple[int, ...]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self._key(key_node, path)
            if key in members:
                first = self._keys[(*path, key)].line
                message = f"{key} is there twice, first in line {first}; keep one of the two"
                self.faults.append(Fault(_position_of(key_node), (*path, key), message))
            elif key is not None:
                self._keys[(*path, key)] = _position_of(key_node)
                members[key] = self._plain(value_node, (*path, key), around)
        # What a map says itself counts more than what is merged into it, and of that the first.
        for merged, key_node, value_node in self._merged(node, path, around):
            key = self._key(key_node, path)
            if key is not None and key not in members:
                self._keys[(*path, key)] = _position_of(key_node)
                if merged in self._anchored:
                    self._merges[(*path, key)] = (*self._anchored[merged], key)
                members[key] = self._plain(value_node, (*path, key), around)
        return members

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return _clean(node.value)
        self.faults.append(Fault(_position_of(node), path, "a name of a member must be a text; use one like web"))
        return None

    def _merged(
        self, node: yaml.MappingNode, path: Path, around: tuple[int, ...]
    ) -> Iterator[tuple[yaml.Node, yaml.Node, yaml.Node]]:
        """The members that `<<` merges into a map, each with the map that has it.

        Source: "Merge Key Language-Independent Type for YAML".
        """
        for key_node, value_node in node.value:
            if key_node.tag != _MERGE:
                continue
            for merged in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                if id(merged) in around:
                    raise _NotPlainError(_position_of(key_node))
                if isinstance(merged, yaml.MappingNode):
                    yield from ((merged, *pair) for pair in merged.value if pair[0].tag != _MERGE)
                    yield from self._merged(merged, path, (*around, id(merged)))
                else:
                    self._keys.setdefault((*path, "<<"), _position_of(key_node))
                    message = "<< merges no map; use an anchor of one, like <<: *base"
                    self.faults.append(Fault(_position_of(key_node), (*path, "<<"), message))

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        """A scalar as JSON could hold it: YAML's times stay text."""
        text = _clean(node.value)
        if text != node.value:
            self.faults.append(
                Fault(_position_of(node), path, "the text has half a character; write the character out")
            )
        if node.tag in _PLAIN_TAGS:
            try:
                value = yaml.SafeLoader("").construct_object(node)
            except (ValueError, KeyError):
                return text
            return text if isinstance(value, str) else value
        return text


class _NotPlainError(Exception):
    def __init__(self, position: Position) -> None:
        super().__init__(position)
        self.position = position


class _Loader(yaml.SafeLoader):
    """Composes nodes, and notes the signs that begin a tag, or an anchor of nothing: texts without their quotes."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.signs: list[tuple[str, yaml.Mark]] = []

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        tag, anchor, mark = getattr(event, "tag", None), getattr(event, "anchor", None), event.start_mark
        is_alias = isinstance(event, yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if tag is not None:
            self.signs.append(("!", mark))
        elif anchor and not is_alias and isinstance(node, yaml.ScalarNode) and node.value == "" and node.style is None:
            self.signs.append(("&", mark))
        return node


def _position_of(node: yaml.Node) -> Position:
    start, end = node.start_mark, node.end_mark
    length = end.column - start.column if end.line == start.line else 1
    return Position(start.line + 1, start.column + 1, max(1, length))


def _clean(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)
