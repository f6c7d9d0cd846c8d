"""YAML as plain values with the place of each, and its errors in words of what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import yaml

Path = tuple[str | int, ...]

# More come only of aliases within aliases, of which a short file can make any number.
MOST_NODES = 50_000
# YAML's name for the type of the key <<.
_MERGE = "tag:yaml.org,2002:merge"

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "bool", "null"))
_QUOTE = "put the text in quotes"
_SIGNS = {
    "*": f'an unquoted * begins an alias in YAML; {_QUOTE}, like "*.md"',
    "&": f'an unquoted & begins an anchor in YAML; {_QUOTE}, like "&more"',
    "!": f'an unquoted ! begins a tag in YAML; {_QUOTE}, like "!docs/**"',
    "%": f'an unquoted % can\'t begin a text in YAML; {_QUOTE}, like "%v"',
    "@": f'an unquoted @ can\'t begin a text in YAML; {_QUOTE}, like "@acme"',
    "`": "a backtick can't begin a text in YAML; use quotes in its place",
    "\t": "a tab stands where YAML takes spaces only; use spaces",
}
_CONTEXTS = {"while scanning an alias": "*", "while scanning an anchor": "&", "while scanning a tag": "!"}


@dataclass(frozen=True)
class Position:
    """A part of one line; line and column count from 1, `length` is in characters."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True)
class Fault:
    """What is wrong at a place of the file, and what to write instead."""

    place: Position
    path: Path
    message: str


class Document:
    """A YAML document: its value in JSON's types, the places in it, and what is wrong with it as YAML.

    `value` is None and `root` is None where the file can't be read as YAML. Keys are texts as they are written:
    `on` stays `on`.
    """

    def __init__(self, content: bytes) -> None:
        self.text = content.decode("utf-8-sig", errors="replace")
        self.lines = _LINE_BREAK.split(self.text)
        self.starts = [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]
        self.value: Any = None
        self.root: yaml.Node | None = None
        self.faults: list[Fault] = []
        self._keys: dict[Path, Position] = {}
        self._values: dict[Path, Position] = {}
        self._raw: dict[Path, str] = {}
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
            place = error.place if isinstance(error, _NotPlainError) else Position(1, 1)
            self._give_up(place, "the file refers to itself, or is nested too deep or too large; write it out")
        except yaml.YAMLError as error:
            self._give_up(*_syntax_fault(error, self.text, self.lines))

    @property
    def readable(self) -> bool:
        """Whether `value` is what the file says."""
        return not any(fault.path == () and self.root is None for fault in self.faults)

    def place(self, path: Path, at: Literal["key", "value"] = "value") -> Position:
        """The place of a member or list item, or of the innermost thing around it that the file has.

        A member is marked at its value if that is one text or number, else at its name.
        """
        for end in range(len(path), -1, -1):
            part = path[:end]
            key, value = self._keys.get(part), self._values.get(part)
            if key is not None and (value is None or at == "key" or end < len(path) or not self._raw.get(part)):
                return self._inside(key)
            if value is not None:
                return self._inside(value)
        return Position(1, 1)

    def raw(self, path: Path) -> str | None:
        """A text or number as it is written, without quotes; None for a list, an object and nothing."""
        return self._raw.get(path)

    def origin(self, path: Path) -> Path:
        """Where the file writes what lies at a path: in the case of an alias, at the anchor."""
        for end in range(len(path), 0, -1):
            # An alias itself is a value of the place where it stands.
            anchor = self._merges.get(path[:end]) or (self._aliases.get(path[:end]) if end < len(path) else None)
            if anchor is not None:
                return (*anchor, *path[end:])
        return path

    def _give_up(self, place: Position, message: str) -> None:
        self.value = self.root = None
        self.faults = [Fault(self._inside(place), (), message)]

    def _inside(self, place: Position) -> Position:
        """The place itself, or the last character before it: the end of the file is no place to look at."""
        line, column = min(place.line, len(self.lines)), place.column
        while line > 1 and (line < place.line or column > 1) and not self.lines[line - 1].strip():
            line -= 1
        width = len(self.lines[line - 1])
        if line < place.line or column > width:
            return Position(line, max(1, len(self.lines[line - 1].rstrip())))
        return Position(line, column, max(1, min(place.length, width - column + 1)))

    def _add_faults_of_signs(self, loader: _Loader) -> None:
        for sign, mark in loader.signs:
            place = Position(mark.line + 1, mark.column + 1)
            path = next((path for path, at in self._values.items() if (at.line, at.column) == _start(place)), ())
            self.faults.append(Fault(place, path, _SIGNS[sign]))

    def _plain(self, node: yaml.Node, path: Path, around: tuple[int, ...]) -> Any:
        self._nodes += 1
        place = _place_of(node)
        if id(node) in around or self._nodes > MOST_NODES:
            raise _NotPlainError(place)
        around = (*around, id(node))
        self._values[path] = place
        if isinstance(node, yaml.CollectionNode) and self._anchored.setdefault(node, path) != path:
            self._aliases[path] = self._anchored[node]
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(inner, (*path, index), around) for index, inner in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._members(node, path, around)
        self._raw[path] = node.value
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
                self.faults.append(Fault(_place_of(key_node), (*path, key), message))
            elif key is not None:
                self._keys[(*path, key)] = _place_of(key_node)
                members[key] = self._plain(value_node, (*path, key), around)
        # What a map says itself counts more than what is merged into it, and of that the first.
        for merged, key_node, value_node in self._merged(node, path, around):
            key = self._key(key_node, path)
            if key is not None and key not in members:
                self._keys[(*path, key)] = _place_of(key_node)
                if merged in self._anchored:
                    self._merges[(*path, key)] = (*self._anchored[merged], key)
                members[key] = self._plain(value_node, (*path, key), around)
        return members

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return _clean(node.value)
        self.faults.append(Fault(_place_of(node), path, "a name of a member must be a text; use one like web"))
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
                    raise _NotPlainError(_place_of(key_node))
                if isinstance(merged, yaml.MappingNode):
                    yield from ((merged, *pair) for pair in merged.value if pair[0].tag != _MERGE)
                    yield from self._merged(merged, path, (*around, id(merged)))
                else:
                    self._keys.setdefault((*path, "<<"), _place_of(key_node))
                    message = "<< merges no map; use an anchor of one, like <<: *base"
                    self.faults.append(Fault(_place_of(key_node), (*path, "<<"), message))

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        """A scalar as JSON could hold it: YAML's times stay text."""
        text = _clean(node.value)
        if text != node.value:
            self.faults.append(Fault(_place_of(node), path, "the text has half a character; write the character out"))
        if node.tag in _PLAIN_TAGS:
            try:
                value = yaml.SafeLoader("").construct_object(node)
            except (ValueError, KeyError):
                return text
            return text if isinstance(value, str) else value
        return text


class _NotPlainError(Exception):
    def __init__(self, place: Position) -> None:
        super().__init__(place)
        self.place = place


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


def _syntax_fault(error: yaml.YAMLError, text: str, lines: list[str]) -> tuple[Position, str]:
    if isinstance(error, yaml.reader.ReaderError):
        before = _LINE_BREAK.split(text[: error.position])
        message = f"the character U+{ord(text[error.position]):04X} can't stand in YAML; remove it"
        return Position(len(before), len(before[-1]) + 1), message
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Position(1, 1), "the file is not YAML; check indentation, quotes and brackets"
    mark, context_mark = error.problem_mark, error.context_mark
    sign = _CONTEXTS.get(error.context or "")
    if sign and context_mark and not (sign == "&" and context_mark.column == 0 and mark.line > context_mark.line):
        return _at(context_mark), _SIGNS[sign]
    tag = next(_tags(text), None)
    if tag is not None:
        return _at(tag), _SIGNS["!"]
    directive = next((number for number, line in enumerate(lines, 1) if line.startswith("%")), None)
    if directive and ("directive" in f"{error.context} {error.problem}" or "<document start>" in (error.problem or "")):
        return Position(directive, 1), _SIGNS["%"]
    character = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    if "cannot start any token" in (error.problem or "") and character in _SIGNS:
        return _at(mark), _SIGNS[character]
    return _at(mark), _words(error, context_mark, character)


def _words(error: yaml.MarkedYAMLError, context_mark: yaml.Mark | None, character: str) -> str:
    """What is wrong, by the part of YAML that PyYAML was reading; its own words speak of tokens."""
    context, problem = error.context or "", error.problem or ""
    begin = f"line {context_mark.line + 1}, column {context_mark.column + 1}" if context_mark else "above"
    if "undefined alias" in problem:
        return f'an unquoted * names an anchor that the file does not have; {_QUOTE}, like "*.md"'
    if "duplicate anchor" in context:
        return "an anchor with & is there twice; give each anchor a name of its own"
    if "single document" in context:
        return "a second document begins; keep one document in the file"
    if "escape" in problem or "hexadecimal" in problem:
        return "a backslash in double quotes begins an escape; use single quotes, or two backslashes"
    if "quoted scalar" in context:
        return f"the text that begins in {begin} has no closing quote; add it"
    if "flow sequence" in context or "flow mapping" in context:
        return _words_of_flow(error, context_mark, character)
    if "mapping values are not allowed" in problem:
        return 'a second ":" is in the text, or the line is indented too deep; use quotes, or the indentation above'
    if "simple key" in context:
        return 'a ":" is missing after the name; write it like web: …'
    if "block scalar" in context:
        return "an unquoted > or | begins a text of several lines in YAML; put the text in quotes"
    if "node content" in problem:
        return f'a value is missing before "{character}"; write the value, or remove the sign'
    if "expected <block end>" in problem and ("scalar" in problem or character in ("]", "}", ",")):
        return "the value ends before this; put the whole text in quotes, or remove what follows"
    if "expected <block end>" in problem:
        return f"the indentation differs from that of {begin}; let members of one object begin in the same column"
    return "this is not YAML; check indentation, quotes and brackets"


def _words_of_flow(error: yaml.MarkedYAMLError, context_mark: yaml.Mark | None, character: str) -> str:
    """What is wrong inside of brackets or braces."""
    is_list = "sequence" in (error.context or "")
    what, end = ("list", "]") if is_list else ("object", "}")
    if context_mark is None or error.problem_mark is None:
        return f'the {what} is not closed; write "," or "{end}" before this'
    if character == ":" and context_mark.line == error.problem_mark.line:
        return 'a second ":" is in the text; put the text in quotes'
    begin = f"line {context_mark.line + 1}, column {context_mark.column + 1}"
    return f'the {what} that begins in {begin} is not closed; write "," or "{end}" before this'


def _tags(text: str) -> Iterator[yaml.Mark]:
    """Where tags begin, as far as the text can be read."""
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.TagToken):
                yield token.start_mark
    except yaml.YAMLError:
        return


def _at(mark: yaml.Mark) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _start(place: Position) -> tuple[int, int]:
    return place.line, place.column


def _place_of(node: yaml.Node) -> Position:
    start, end = node.start_mark, node.end_mark
    length = end.column - start.column if end.line == start.line else 1
    return Position(start.line + 1, start.column + 1, max(1, length))


def _clean(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)
