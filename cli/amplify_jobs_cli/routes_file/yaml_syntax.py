"""Errors of YAML's syntax in messages of what to write instead: PyYAML's own words speak of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from amplify_jobs_cli.routes_file.places import Position

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_QUOTE = "put the text in quotes"
# The first character of a text that lacks its quotes -> what is wrong.
SIGNS = {
    "*": f'an unquoted * begins an alias in YAML; {_QUOTE}, like "*.md"',
    "&": f'an unquoted & begins an anchor in YAML; {_QUOTE}, like "&more"',
    "!": f'an unquoted ! begins a tag in YAML; {_QUOTE}, like "!docs/**"',
    "%": f'an unquoted % can\'t begin a text in YAML; {_QUOTE}, like "%v"',
    "@": f'an unquoted @ can\'t begin a text in YAML; {_QUOTE}, like "@acme"',
    "`": "a backtick can't begin a text in YAML; use quotes in its place",
    "\t": "a tab stands where YAML takes spaces only; use spaces",
}
_CONTEXTS = {"while scanning an alias": "*", "while scanning an anchor": "&", "while scanning a tag": "!"}


def syntax_fault(error: yaml.YAMLError, text: str, lines: list[str]) -> tuple[Position, str]:
    """The position of an error in a text, and what to write instead."""
    if isinstance(error, yaml.reader.ReaderError):
        before = LINE_BREAK.split(text[: error.position])
        message = f"the character U+{ord(text[error.position]):04X} can't stand in YAML; remove it"
        return Position(len(before), len(before[-1]) + 1), message
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Position(1, 1), "the file is not YAML; check indentation, quotes and brackets"
    mark, context_mark = error.problem_mark, error.context_mark
    sign = _CONTEXTS.get(error.context or "")
    if sign and context_mark and not (sign == "&" and context_mark.column == 0 and mark.line > context_mark.line):
        return _at(context_mark), SIGNS[sign]
    tag = next(_tags(text), None)
    if tag is not None:
        return _at(tag), SIGNS["!"]
    directive = next((number for number, line in enumerate(lines, 1) if line.startswith("%")), None)
    if directive and ("directive" in f"{error.context} {error.problem}" or "<document start>" in (error.problem or "")):
        return Position(directive, 1), SIGNS["%"]
    character = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    if "cannot start any token" in (error.problem or "") and character in SIGNS:
        return _at(mark), SIGNS[character]
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
    noun, end = ("list", "]") if is_list else ("object", "}")
    if context_mark is None or error.problem_mark is None:
        return f'the {noun} is not closed; write "," or "{end}" before this'
    if character == ":" and context_mark.line == error.problem_mark.line:
        return 'a second ":" is in the text; put the text in quotes'
    begin = f"line {context_mark.line + 1}, column {context_mark.column + 1}"
    return f'the {noun} that begins in {begin} is not closed; write "," or "{end}" before this'


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
