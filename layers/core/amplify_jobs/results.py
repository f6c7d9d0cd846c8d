"""What a job that generates something leaves: its files, what it could not generate, and what could not be stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.models import GrowingModel

# Their addresses travel in the state machine's payload and in announcements, of which neither may exceed 256 KiB.
MOST_FILES = 500
# Names become keys in the bucket: no way out of the request's folder, nothing that a shell or a browser would mind.
_NAME = re.compile(r"^(?!\.)[A-Za-z0-9_@. -]{1,150}(/(?!\.)[A-Za-z0-9_@. -]{1,150}){0,4}\Z")


class PartialError(GrowingModel):
    """One thing that a job which succeeded could not generate."""

    schema_name: str | None = None
    error: str


class MissingFile(GrowingModel):
    """A file that the job made and that is not in the bucket, with the reason; `name` is None where it is unknown."""

    name: str | None = None
    reason: str


class Results(GrowingModel):
    """`files` are s3:// addresses, all of them in `folder`."""

    folder: str | None = None
    files: tuple[str, ...] = ()
    partial_errors: tuple[PartialError, ...] = ()
    missing: tuple[MissingFile, ...] = ()


@dataclass(frozen=True)
class Output:
    """A file as a codegen job's manifest names it; the address is signed, and nobody else's business."""

    name: str
    url: str


@dataclass(frozen=True)
class Manifest:
    """What a codegen job made; `entries` are the manifest's own, without addresses."""

    outputs: tuple[Output, ...]
    errors: tuple[PartialError, ...]
    missing: tuple[MissingFile, ...]
    entries: tuple[dict[str, str], ...]


def read_manifest(content: bytes) -> Manifest:
    """Read what a codegen job's asset.downloadUrl answers: {"Output": [{fileName, schemaName, downloadUrl or error}]}.

    Raises ServiceTrouble if it is no manifest at all; what is wrong with single entries is in the answer.
    """
    try:
        listed = json.loads(content)["Output"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ServiceTrouble("The codegen job's manifest is not what UI Builder makes: it has no Output") from None
    if not isinstance(listed, list):
        raise ServiceTrouble("The codegen job's manifest is not what UI Builder makes: its Output is no list")
    outputs: dict[str, Output] = {}
    errors, missing, entries = [], [], []
    for entry in (entry for entry in listed if isinstance(entry, dict)):
        name, schema_name, url, error = (
            _text(entry, key) for key in ("fileName", "schemaName", "downloadUrl", "error")
        )
        entries.append({key: value for key, value in entry.items() if key != "downloadUrl" and isinstance(value, str)})
        if error is not None:
            errors.append(PartialError(schema_name=schema_name, error=error))
        elif name is None or not _NAME.match(name):
            missing.append(MissingFile(name=name, reason="its name can't be that of a file in the bucket"))
        elif url is None:
            missing.append(MissingFile(name=name, reason="the manifest has no address for it"))
        elif name in outputs:
            missing.append(MissingFile(name=name, reason="the manifest names it twice; the first is kept"))
        elif len(outputs) == MOST_FILES:
            missing.append(MissingFile(name=name, reason=f"the job made more than {MOST_FILES} files"))
        else:
            outputs[name] = Output(name, url)
    return Manifest(tuple(outputs.values()), tuple(errors), _few(missing), tuple(entries))


def partial_errors(message: str | None) -> tuple[PartialError, ...]:
    """Read the single failures out of a codegen job's statusMessage: {"codegenErrors": [{schemaName, error}]}."""
    try:
        listed = json.loads(message or "")["codegenErrors"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return tuple(
        PartialError(schema_name=_text(entry, "schemaName"), error=_text(entry, "error") or "UI Builder gave no reason")
        for entry in entries[:MOST_FILES]
    )


def all_errors(*several: Iterable[PartialError]) -> tuple[PartialError, ...]:
    """Join lists of errors; what is in more than one of them comes once."""
    return tuple(dict.fromkeys(error for errors in several for error in errors))


def _few(missing: list[MissingFile]) -> tuple[MissingFile, ...]:
    more = len(missing) - MOST_FILES
    return (*missing[:MOST_FILES], *([MissingFile(reason=f"and {more} more files")] if more > 0 else []))


def _text(entry: dict[str, Any], key: str) -> str | None:
    value = entry.get(key)
    return value if isinstance(value, str) and value else None
