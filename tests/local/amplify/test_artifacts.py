"""Which files a pattern takes, and that none gets out of its place."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.amplify import artifacts

FILES = ["index.html", ".well-known/x.json", "css/site.css", "css/print/a.css", "js/app.js", "robots.txt"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["**/*"], FILES),
        (["**"], FILES),
        (["*"], FILES),
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
    kept, refused = artifacts.inside_only(["node_modules", "/opt/cache", "../x", "a/../../b", "a..b"])
    assert (kept, refused) == (["node_modules", "a..b"], ["/opt/cache", "../x", "a/../../b"])
