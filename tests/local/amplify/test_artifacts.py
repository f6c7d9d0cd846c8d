"""Which files a pattern takes, and that none gets out of its place."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local.amplify import artifacts

FILES = ["index.html", ".well-known/x.json", "css/site.css", "css/print/a.css", "js/app.js", "robots.txt"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["**/*"], FILES),
        (["**"], FILES),
        (["*"], [file for file in FILES if "/" not in file]),
        (["css/*"], ["css/site.css"]),
        (["c?s"], []),
        (["*/*"], [file for file in FILES if file.count("/") == 1]),
        (["css/pri*/"], []),
        (["css/print"], ["css/print/a.css"]),
        (["*.html"], ["index.html"]),
        (["css/*.css"], ["css/site.css"]),
        (["css/**/*"], ["css/print/a.css", "css/site.css"]),
        (["css"], ["css/print/a.css", "css/site.css"]),
        (["css/"], ["css/print/a.css", "css/site.css"]),
        (["**/*.css"], ["css/print/a.css", "css/site.css"]),
        (["./js/app.js"], ["js/app.js"]),
        (["j?/app.js", "robots.txt"], ["js/app.js", "robots.txt"]),
        (["app.js"], []),
        (["index.htm"], []),
        (["indexxhtml"], []),
    ],
)
def test_patterns(patterns: list[str], expected: list[str]) -> None:
    assert artifacts.select(FILES, patterns) == sorted(expected)


@given(st.text(), st.text())
def test_any_text_is_a_pattern(pattern: str, name: str) -> None:
    artifacts.matcher(pattern).fullmatch(name)


PLAIN_NAMES = st.text("ab.[](){}+^$\\|", min_size=1).filter(lambda text: not text.startswith("./"))


@given(PLAIN_NAMES)
def test_a_name_without_stars_matches_itself_only(name: str) -> None:
    assert artifacts.matcher(name).fullmatch(name)
    assert not artifacts.matcher(name).fullmatch(name + "c")


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_a_zip_holds_the_files_below_the_directory(tmp_path: Path) -> None:
    write(tmp_path, "src/dist/index.html", "src/dist/.git/config", "src/dist/a/b.txt", "outside.txt")
    (tmp_path / "src/dist/inside").symlink_to("a/b.txt")
    (tmp_path / "src/dist/leak").symlink_to(tmp_path / "outside.txt")
    target = tmp_path / "site.zip"
    assert artifacts.collect(tmp_path / "src/dist", ["**/*"], target, within=tmp_path / "src") == 3
    with zipfile.ZipFile(target) as opened:
        assert sorted(opened.namelist()) == ["a/b.txt", "index.html", "inside"]


@pytest.mark.parametrize(
    ("directory", "patterns", "message"),
    [
        ("build", ["**/*"], "Artifact directory doesn't exist: build"),
        ("dist", ["*.css"], r"no file in dist matches \*\.css"),
    ],
)
def test_artifacts_that_are_not_there_are_named(
    tmp_path: Path, directory: str, patterns: list[str], message: str
) -> None:
    write(tmp_path, "dist/index.html")
    with pytest.raises(artifacts.ArtifactsError, match=message):
        artifacts.collect(tmp_path / directory, patterns, tmp_path / "x.zip", within=tmp_path)


def test_discarded_paths_leave_bare_names() -> None:
    assert artifacts.named(["a/b.txt", "c.txt"], discard_paths=True) == {"b.txt": "a/b.txt", "c.txt": "c.txt"}
    with pytest.raises(artifacts.ArtifactsError, match=r"one name for a/x and b/x: x"):
        artifacts.named(["a/x", "b/x"], discard_paths=True)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil"])
def test_a_zip_that_climbs_out_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(name, "evil")
    with pytest.raises(artifacts.ArtifactsError, match="outside of its own directory"):
        artifacts.unpack(tmp_path / "evil.zip", tmp_path / "a" / "site")
    assert not (tmp_path / "a" / "evil").exists()


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


SOUND = zipped({"index.html": b"hello" * 20, "a/b.txt": b"b"})
ENCRYPTED = SOUND.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00").replace(
    b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the zip can't be read: File is not a zip file"),
        (b"<html>not found</html>", "the zip can't be read: File is not a zip file"),
        (SOUND[:-30], "the zip can't be read: File is not a zip file"),
        (zipped({}), "the zip holds no files"),
        (zipped({"dist/": b""}), "the zip holds no files"),
        (zipped({"x": bytes(2000)}), "the zip has 2000 bytes, packed or unpacked, and a site may have 1000"),
        (zipped({"a": b"", "a/b": b""}), "the zip's entry a/b can't be unpacked: "),
        (zipped({"n" * 300: b""}), f"the zip's entry {'n' * 300} can't be unpacked: File name too long"),
        (ENCRYPTED, "the zip's entry index.html is encrypted"),
    ],
)
def test_an_unsound_zip_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(artifacts.ArtifactsError) as caught:
        artifacts.unpack(tmp_path / "x.zip", tmp_path / "site", limit=1000)
    assert str(caught.value).startswith(message)
    assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "site").exists()


@example(position=134, instead=b"\0\0\0")  # an entry without a name
@given(st.integers(0, len(SOUND) - 1), st.binary(max_size=4))
def test_a_damaged_zip_is_unpacked_or_refused(position: int, instead: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        archive, site = Path(directory, "x.zip"), Path(directory, "site")
        archive.write_bytes(SOUND[:position] + instead + SOUND[position + len(instead) :])
        try:
            artifacts.unpack(archive, site, limit=1000)
        except artifacts.ArtifactsError:
            assert not site.exists()
        assert {path.name for path in Path(directory).iterdir()} <= {"x.zip", "site"}


def test_a_cache_is_kept_and_put_back_with_its_links(tmp_path: Path) -> None:
    first, second, cache = tmp_path / "first", tmp_path / "second", tmp_path / "cache"
    write(first, "node_modules/x/bin.js", "node_modules/y", "other")
    (first / "node_modules/.bin").symlink_to("x/bin.js")
    assert artifacts.keep(first, ["node_modules/**/*"], cache) == 3
    write(second, "node_modules/y")
    (second / "node_modules/y").write_text("from the clone")
    artifacts.restore(cache, second)
    assert (second / "node_modules/.bin").readlink() == Path("x/bin.js")
    assert (second / "node_modules/y").read_text() == "from the clone"
    assert not (second / "other").exists()
    assert artifacts.keep(second, [], cache) == 0
    assert not cache.exists()


def test_cache_paths_outside_of_the_project_are_left_out() -> None:
    inside, refused = artifacts.inside_only(["node_modules", "/opt/cache", "../x", "a/../../b", "a..b"])
    assert (inside, refused) == (["node_modules", "a..b"], ["/opt/cache", "../x", "a/../../b"])
