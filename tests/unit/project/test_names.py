"""Names of values are nouns, and names of functions are verbs: these words are neither (CONTRIBUTING.md, "Names")."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
# A word stands for what its sentence left out: "known" for the keys that are known, "told" for the message.
NO_NOUNS = {
    *("asked", "became", "came", "found", "given", "got", "happened", "kept", "known", "made", "ours", "said", "taken"),
    *("theirs", "told", "wanted", "what"),
}


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The names that a module gives to variables, parameters, functions and classes, with their lines.

    Members of models are left out: many are those of a published JSON.
    """
    members = {
        id(name)
        for model in ast.walk(tree)
        if isinstance(model, ast.ClassDef)
        for member in model.body
        if isinstance(member, ast.Assign | ast.AnnAssign)
        for name in ast.walk(member)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in members:
                yield name, node.lineno
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno


def python_files() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "*.py", ":!tests/end_to_end", ":!tests/support"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return listing.stdout.split()


def test_names_are_nouns_and_verbs() -> None:
    faults = [
        f"{file}:{line}: {name}"
        for file in python_files()
        for name, line in names(ast.parse((REPOSITORY / file).read_text(encoding="utf-8")))
        # A constant may be a state of the API, in its own word.
        if name.strip("_").lower() in NO_NOUNS and not name.isupper()
    ]
    assert faults == [], "name what the value is, or what the function does"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("found = 1", ["found"]),
        ("def f(given, *told, **kept): ...", ["f", "given", "told", "kept"]),
        ("for said in x: ...", ["said"]),
        ("class Asked:\n    kept: int\n    KEPT = 1\n    def what(self): ...", ["Asked", "what", "self"]),
        ("try: ...\nexcept E as got: ...", ["got"]),
        ("match x:\n    case {'a': wanted}: ...", ["wanted"]),
        ("x.found(known)", []),
    ],
)
def test_every_place_that_gives_a_name_is_read(text: str, expected: list[str]) -> None:
    assert sorted(name for name, _ in names(ast.parse(text))) == sorted(expected)
