"""Which files a build leaves or keeps: patterns, zips and the cache; and what a zip may hold."""

from __future__ import annotations

import lzma
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

# Always left out: a repository's own history is no artifact, and serving it would publish it.
NEVER = ".git"

WILDCARDS = frozenset("*?")

SITE_ZIP = "artifacts.zip"
"""The file in a job's directory that holds the site."""

# A flag of a zip's entry (APPNOTE.TXT, 4.4.4).
ENCRYPTED = 0x1

# All that zipfile is known to raise for what is no zip, or a damaged or unusual one. OSError also comes of
# two entries that can't be beside each other, as a file `a` and a file `a/b`.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


class ArtifactsError(Exception):
    """A site's files can't be collected, fetched or unpacked; the message says why."""


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
    """The paths that match any of the patterns, in order; a directory's name stands for all that is in it.

    A pattern with a wildcard stands for files only: `js/*` takes none of `js/deep/`.
    """
    compiled = [matcher(pattern) for pattern in patterns]
    below = [matcher(pattern.rstrip("/") + "/**") for pattern in patterns if not WILDCARDS & set(pattern)]
    return sorted(file for file in files if any(pattern.fullmatch(file) for pattern in (*compiled, *below)))


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


def unpack(archive: Path, target: Path, *, limit: int | None = None) -> None:
    """Unpack a zip into a new directory.

    Raises ArtifactsError, and leaves no directory, for what is no sound zip, holds no file, has an entry that would
    land elsewhere, or is larger than `limit` bytes, packed or unpacked.
    """
    target.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            _check_entries(opened.infolist(), archive, target, limit)
            for entry in opened.infolist():
                _extract(opened, entry, target)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, UNREADABLE):
            raise ArtifactsError(f"the zip can't be read: {_why(error)}") from None
        raise


def _check_entries(entries: Sequence[zipfile.ZipInfo], archive: Path, target: Path, limit: int | None) -> None:
    for entry in entries:
        if not (target / entry.filename).resolve().is_relative_to(target.resolve()):
            raise ArtifactsError(f"the zip holds an entry outside of its own directory: {entry.filename}")
        if not entry.filename:
            # zipfile's own is_dir stumbles over it.
            raise ArtifactsError("the zip has an entry without a name")
        if entry.flag_bits & ENCRYPTED:
            raise ArtifactsError(f"the zip's entry {entry.filename} is encrypted")
    if all(entry.is_dir() for entry in entries):
        raise ArtifactsError("the zip holds no files")
    # What an entry says of its size is the most that is read of it.
    size = max(archive.stat().st_size, sum(entry.file_size for entry in entries))
    if limit is not None and size > limit:
        raise ArtifactsError(f"the zip has {size} bytes, packed or unpacked, and a site may have {limit}")


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    try:
        opened.extract(entry, target)
    except UNREADABLE as error:
        raise ArtifactsError(f"the zip's entry {entry.filename} can't be unpacked: {_why(error)}") from None


def _why(error: Exception) -> str:
    # An OSError's own text has paths of this machine, which say nothing to who made the zip.
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def inside_only(patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split cache paths into those that are kept and those that Amplify leaves out: absolute and climbing ones."""
    refused = [pattern for pattern in patterns if pattern.startswith("/") or ".." in pattern.split("/")]
    return [pattern for pattern in patterns if pattern not in refused], refused


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
