"""Hides what may be a secret in messages about a routes file, and in the lines that are shown of it.

People type a secret where the name of its SSM parameter belongs. So of the sources only known words and names of
parameters are shown, also where the file can't be read as YAML; what is hidden there is hidden everywhere.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import yaml

from amplify_jobs.events import codecommit
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.model_fields import choices, item_of, models_below
from amplify_jobs_cli.routes_file.places import Position
from amplify_jobs_cli.routes_file.yaml_document import Document

HIDDEN = "…"
# As much of a line as a terminal shows.
LONGEST_EXCERPT = 100
# Shorter texts are hidden in the sources alone: they may occur in any word.
_SHORTEST_TEXT = 5
# The deepest member of a right file lies far above.
_DEEPEST = 50
# The deepest text of a right target lies in when.branches.
_DEEPEST_TEXT = 3

_MEMBERS = ("version", "sources", "provider", "secrets", "routes", "defaults", "bus", "follow")
# Words of messages: what is hidden is hidden in them too.
_AWS = ("codecommit", codecommit.SOURCE)
_SECTIONS = ("version", "routes", "defaults", "bus", "follow")
_PARAMETER = re.compile(r"(/[A-Za-z0-9_.-]{1,64})?/[A-Za-z0-9_.-]{1,64}/secrets(/[A-Za-z0-9_.-]{1,64})+")
_MEMBER_NAME = re.compile(r"[A-Za-z_]{1,16}")
# Names and patterns of routes, operations and ids of apps.
_ALLOWED = re.compile(r"!?[a-z0-9_*-]{1,40}")
_CONFIDENTIAL = re.compile(r"secret|token|passw|credential|webhook|api[_-]?key", re.IGNORECASE)
# Members of targets whose values are no secrets, unless they look like one.
_OPEN_MEMBERS = frozenset({"kind", "source", "context", "channel", "api", "when"})
# What tokens and keys are like: a word of many letters, with digits or with small and big ones.
_RANDOM = re.compile(r"(?=[a-z+=]*[0-9A-Z]|[A-Z+=]+[0-9a-z])[A-Za-z0-9+=]{13,}")
_PLAIN_ADDRESS = re.compile(r"https?://[^/?#@]+[^?#@]*")
_WORD = re.compile(r"[^\s\[\]{},:]+")
# Where sources begin in a text that is not YAML, and where they end.
_BEGIN = re.compile(
    rf"""(?im)(?:sources|reports|^["'{{]*(?!(?:{"|".join(_SECTIONS)})\b|x-)[\w-]+"""
    r"""|(?:secret|token|passw|credential|webhook|api[_-]?key)[\w-]*)["']?[ \t]*:"""
)
_END = re.compile(rf"""(?m)(?:^|[{{,])[ \t]*["']?(?:{"|".join(_SECTIONS)})["']?[ \t]*:""")
# Forms of secrets wherever they are: user and password of an address, and what hosts and AWS give out.
_KNOWN_FORMS = re.compile(
    r"(?<=://)[^\s/@]+(?=@)|\b(?:gh[a-z]_|github_pat_|glpat-|glrt-|xox[a-z]-|whsec_|whsk_|ATBB|ATATT|AKIA|ASIA|eyJ)"
    r"[A-Za-z0-9_+/=.-]{8,}"
)


class Masking:
    """What to hide of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._allowed = set(_MEMBERS).union(_AWS, *_words().values())
        self._texts: set[str] = set()
        self._regions: list[tuple[int, int]] = []
        if document.root is None:
            self._regions = list(_regions(document.text))
        else:
            self._read(document.root)
        hidden = sorted(self._texts, key=len, reverse=True)
        self._hidden = re.compile("|".join(map(re.escape, hidden))) if hidden else None

    def text(self, text: str) -> str:
        """A message without secrets and control characters."""
        masked_text = self._hidden.sub(HIDDEN, text) if self._hidden else text
        return _printable(_KNOWN_FORMS.sub(HIDDEN, masked_text))

    def excerpt(self, position: Position) -> tuple[str, str]:
        """The line of a position without secrets, and a line that marks the position below it."""
        line = self._document.lines[position.line - 1]
        start = position.column - 1
        end = min(start + position.length, len(line))
        spans = self._spans(line, self._document.starts[position.line - 1])
        before, marked, after = (
            _printable(_without(line, spans, *part)) for part in ((0, start), (start, end), (end, len(line)))
        )
        if len(before) > LONGEST_EXCERPT // 2:
            before = HIDDEN + before[1 - LONGEST_EXCERPT // 2 :]
        shown = f"{before}{marked}{after}".rstrip()
        if len(shown) > LONGEST_EXCERPT:
            shown = shown[: LONGEST_EXCERPT - 1] + HIDDEN
        return shown, " " * _width(before) + "^" * max(1, _width(marked[: LONGEST_EXCERPT - len(before)].rstrip()))

    def _spans(self, line: str, offset: int) -> list[tuple[int, int]]:
        """The parts of a line that are hidden, in order and apart from each other."""
        hidden = [match.span() for match in _KNOWN_FORMS.finditer(line)]
        if self._hidden:
            hidden += [match.span() for match in self._hidden.finditer(line)]
        for begin, end in self._regions:
            first, last = max(begin - offset, 0), min(end - offset, len(line))
            if first < last:
                comment = re.compile(r"(?:^|\s)#").search(line, first, last)
                words_end = comment.end() if comment else last
                hidden += [word.span() for word in _WORD.finditer(line, first, words_end) if not self._shown(word[0])]
                hidden += [(words_end, last)] if comment else []
        spans: list[tuple[int, int]] = []
        for begin, end in sorted(hidden):
            if spans and begin < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((begin, end))
        return spans

    def _shown(self, word: str) -> bool:
        bare = word.strip("\"'")
        return not re.search(r"\w", bare) or bare in self._allowed or bool(_PARAMETER.fullmatch(bare))

    def _read(self, node: yaml.Node, around: str = "", depth: int = 0) -> None:
        """Find what is confidential in a document that is YAML."""
        if depth > _DEEPEST or not isinstance(node, yaml.CollectionNode):
            return
        for item in node.value:
            if not isinstance(item, tuple):
                self._read(item, around, depth + 1)
                continue
            key, value = item
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            # Whatever stands at the top and is no section may be the sources under another name. A route may have any.
            if depth == 0 and name == "reports":
                self._read_reports(key, value)
            elif _is_unknown(name) if depth == 0 else around != "routes" and name == "sources":
                self._read_sources(key, value)
            elif around != "routes" and _CONFIDENTIAL.search(name) and not isinstance(value, yaml.MappingNode):
                self._read_source(value, set())
            else:
                self._read(value, name, depth + 1)

    def _read_reports(self, key: yaml.Node, value: yaml.Node) -> None:
        """Show what of the targets can't be a secret. An address's path often is one, and each other member may be."""
        texts: dict[bool, set[str]] = {True: set(), False: set()}
        for target in value.value if isinstance(value, yaml.MappingNode) else ():
            for name, content in target[1].value if isinstance(target[1], yaml.MappingNode) else ():
                texts[isinstance(name, yaml.ScalarNode) and name.value in _OPEN_MEMBERS].update(_texts_below(content))
        for text in texts[True] - texts[False]:
            if _is_plain(text):
                self._allowed.update((text, *_WORD.findall(text)))
        self._read_sources(key, value)

    def _read_sources(self, key: yaml.Node, value: yaml.Node) -> None:
        self._regions.append((key.end_mark.index, value.end_mark.index))
        if not isinstance(value, yaml.MappingNode):
            self._read_source(value, set())
            return
        for source, content in value.value:
            if isinstance(source, yaml.ScalarNode):
                self._allowed.update((source.value, *source.value.split()))
            self._read_source(content, set(), source.value if isinstance(source, yaml.ScalarNode) else "")

    def _read_source(self, node: yaml.Node, seen: set[int], member: str = "") -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else ""
                if _MEMBER_NAME.fullmatch(name):
                    self._allowed.add(name)
                else:
                    self._read_source(key, seen)
                if name == "allow" and isinstance(value, yaml.MappingNode):
                    self._read_allow(value)
                else:
                    self._read_source(value, seen, name)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._read_source(item, seen, member)
        elif _is_near(node.value, _words().get(member, frozenset())):
            self._allowed.add(node.value)
        elif node.value not in self._allowed and not _PARAMETER.fullmatch(node.value):
            self._regions.append((node.start_mark.index, node.end_mark.index))
            if len(node.value) >= _SHORTEST_TEXT:
                self._texts.update((node.value, repr(node.value)[1:-1]))

    def _read_allow(self, node: yaml.MappingNode) -> None:
        """Show what may be the name of a route, an operation or an app."""
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and _MEMBER_NAME.fullmatch(key.value):
                self._allowed.add(key.value)
            else:
                self._read_source(key, set())
            texts = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for text in texts:
                if isinstance(text, yaml.ScalarNode) and _ALLOWED.fullmatch(text.value):
                    self._allowed.add(text.value)
                else:
                    self._read_source(text, set())


@lru_cache(maxsize=1)
def _words() -> Mapping[str, frozenset[str]]:
    """The words that members of sources and reports may have, by the member; any other text may be a secret."""
    words: dict[str, set[str]] = {}
    for path, model in models_below(Routes):
        if path[:1] in (("sources",), ("reports",)):
            for name, field in model.model_fields.items():
                words.setdefault(name, set()).update(choices(item_of(field) or field))
    return {name: frozenset(values) for name, values in words.items() if values}


def _is_unknown(name: str) -> bool:
    """Whether a member at the top is no section, nor one that holds anchors."""
    return name not in _SECTIONS and not name.startswith("x-")


def _texts_below(node: yaml.Node, depth: int = 0) -> Iterator[str]:
    """The texts of a value, however deep; an anchor may make it endless."""
    if isinstance(node, yaml.ScalarNode):
        yield node.value
    elif isinstance(node, yaml.CollectionNode) and depth <= _DEEPEST_TEXT:
        for item in node.value:
            for inner in item if isinstance(item, tuple) else (item,):
                yield from _texts_below(inner, depth + 1)


def _is_plain(text: str) -> bool:
    """Whether a text of a target looks like no secret."""
    is_address = "://" in text
    return len(text) <= 100 and not _RANDOM.search(text) and (not is_address or bool(_PLAIN_ADDRESS.fullmatch(text)))


def _is_near(text: str, words: frozenset[str]) -> bool:
    """Whether a text is one of the words, misspelled or with an ending."""
    near = difflib.get_close_matches(text.lower(), words, cutoff=0.7)
    return bool(near) or any(re.fullmatch(rf"(?i){re.escape(word)}[a-z._-]{{0,12}}", text) for word in words)


def _regions(text: str) -> Iterator[tuple[int, int]]:
    """Where the sources may be in a text that is not YAML."""
    position = 0
    while begin := _BEGIN.search(text, position):
        end = _END.search(text, begin.end())
        position = end.start() if end else len(text)
        yield begin.start(), position


def _without(line: str, spans: Iterable[tuple[int, int]], start: int, end: int) -> str:
    parts, position = [], start
    for begin, stop in spans:
        if begin < end and stop > position:
            parts += [line[position : max(begin, position)], HIDDEN]
            position = min(stop, end)
    return "".join((*parts, line[position:end]))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
