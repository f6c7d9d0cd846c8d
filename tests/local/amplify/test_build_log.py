"""A build's log: whole lines whatever the chunks, and no secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.amplify.build import secrets_of, shown_address
from local.amplify.build_log import BuildLog


def texts(path: Path) -> list[str]:
    return [line.partition("]: ")[2] for line in path.read_text().splitlines()]


@given(chunks=st.lists(st.binary(max_size=6) | st.sampled_from([b"a\n", b"\r\n", b"\n\n"])))
def test_lines_are_whole_however_the_output_was_cut(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("log") / "BUILD.log"
    with BuildLog(path) as log:
        for chunk in chunks:
            log.output(chunk)
    printed = b"".join(chunks)
    lines = printed.removesuffix(b"\n").split(b"\n") if printed else []
    written = [line.partition(b"]: ")[2] for line in path.read_bytes().removesuffix(b"\n").split(b"\n") if line]
    assert written == [line.rstrip(b"\r").decode("utf-8", "replace").encode() for line in lines]


def test_a_secret_is_written_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "BUILD.log"
    with BuildLog(path, secrets_of("https://robot:t0ken@git.example.com/acme/web")) as log:
        log.output(b"remote https://robot:t0ken@git.exam")
        log.output(b"ple.com refused robot and t0ken\n")
        log.error("!!! t0ken")
    assert texts(path) == ["remote https://***@git.example.com refused *** and ***", "!!! ***"]


@pytest.mark.parametrize(
    ("address", "shown", "secrets"),
    [
        ("https://git.example.com/a/b", "https://git.example.com/a/b", ()),
        ("https://robot:t0ken@git.example.com/a", "https://git.example.com/a", ("robot:t0ken", "robot", "t0ken")),
        ("https://t0ken@git.example.com/a@b", "https://git.example.com/a@b", ("t0ken", "t0ken")),
        ("ssh://git@git.example.com/a", "ssh://git.example.com/a", ()),
        ("git@git.example.com:a/b.git", "git@git.example.com:a/b.git", ()),
        ("/srv/git/web@2", "/srv/git/web@2", ()),
        ("file:///srv/git/web", "file:///srv/git/web", ()),
    ],
)
def test_an_address_is_shown_without_its_user(address: str, shown: str, secrets: tuple[str, ...]) -> None:
    assert (shown_address(address), secrets_of(address)) == (shown, secrets)
