"""Which files a build leaves or keeps: patterns, zips and the cache."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

# Always left out: a repository's own history is no artifact, and serving it would publish it.
NEVER = ".git"


class ArtifactsError(Exception):
    """The artifacts that a build spec names can't be collected; the message says why."""


def matcher(pattern: str) -> re.Pattern[str]:
    """A pattern of `artifacts.files` or `cache.paths` as one for re: * stays within a directory, ** does not."""
    translated = ""
    rest = pattern.strip("/").removeprefix("./")
    while rest:
        if rest.startswith("**/"):
            translated, rest = translated + "(?:.*/)?", rest[3:]
        elif rest.startswith("**"):
            translated, rest = translated + ".*", rest[2:]
        elif rest.startswith("*"):
            translated, rest = translated + "[^/]*", rest[1:]
        elif rest.startswith("?"):
            translated, rest = translated + "[^/]", rest[1:]
        else:
            translated, rest = translated + re.escape(rest[0]), rest[1:]
    return re.compile(translated, re.DOTALL)


def select(files: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The paths that match any of the patterns, in order; a directory's name stands for all that is in it."""
    compiled = [matcher(pattern) for pattern in patterns]
    below = [matcher(pattern.rstrip("/") + "/**") for pattern in patterns]
    return sorted(file for file in files if any(one.fullmatch(file) for one in (*compiled, *below)))


def named(files: Sequence[str], *, discard_paths: bool) -> dict[str, str]:
    """What each file is called in the artifacts, by that name; raises ArtifactsError if two would share one."""
    if not discard_paths:
        return {file: file for file in files}
    names: dict[str, str] = {}
    for file in files:
        name = PurePosixPath(file).name
        if name in names:
            raise ArtifactsError(f"discard-paths leaves one name for {names[name]} and {file}: {name}")
        names[name] = file
    return names


def walk(root: Path) -> Iterator[str]:
    """Every file and symbolic link below a directory, as paths relative to it with forward slashes."""
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if NEVER not in relative.parts and (path.is_symlink() or path.is_file()):
            yield relative.as_posix()


def collect(root: Path, patterns: Sequence[str], target: Path, *, within: Path, discard_paths: bool = False) -> int:
    """Zip the files below `root` that match, and say how many; links that lead out of `within` are left out.

    Raises ArtifactsError if the directory does not exist or nothing matches.
    """
    if not root.is_dir():
        raise ArtifactsError(f"Artifact directory doesn't exist: {root.relative_to(within).as_posix()}")
    names = named(select(walk(root), patterns), discard_paths=discard_paths)
    inside = within.resolve()
    count = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name, file in names.items():
            source = (root / file).resolve()
            if source.is_file() and source.is_relative_to(inside):
                archive.write(source, name)
                count += 1
    if not count:
        raise ArtifactsError(f"no file in {root.relative_to(within).as_posix()} matches {', '.join(patterns)}")
    return count


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip into a new directory; entries that would land elsewhere are refused with ArtifactsError."""
    target.mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            if not (target / entry.filename).resolve().is_relative_to(target.resolve()):
                raise ArtifactsError(f"the zip holds an entry outside of its own directory: {entry.filename}")
        opened.extractall(target)


def inside_only(patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split cache paths into those that are kept and those that Amplify leaves out: absolute and climbing ones."""
    refused = [one for one in patterns if one.startswith("/") or ".." in one.split("/")]
    return [one for one in patterns if one not in refused], refused


def keep(root: Path, patterns: Sequence[str], cache: Path) -> int:
    """Replace the cache by the files below `root` that match, and say how many; links are kept as links."""
    fresh = cache.with_name(cache.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    files = select(walk(root), patterns)
    for file in files:
        (fresh / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / file, fresh / file, follow_symlinks=False)
    shutil.rmtree(cache, ignore_errors=True)
    if files:
        fresh.rename(cache)
    return len(files)


def restore(cache: Path, root: Path) -> None:
    """Put the cached files back where they were; what the clone brought stays as it is."""
    if not cache.is_dir():
        return
    for file in walk(cache):
        target = root / file
        if not target.exists() and not target.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(cache / file, target, follow_symlinks=False)
