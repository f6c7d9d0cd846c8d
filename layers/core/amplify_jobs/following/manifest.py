"""The manifest of a codegen job: which files UI Builder made, and what it could not make."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.results import MissingFile, PartialError

MOST_FILES = 500
# Names become keys in the bucket: no way out of the request's folder, nothing that a shell or a browser would mind.
_NAME = re.compile(r"^(?!\.)[A-Za-z0-9_@. -]{1,150}(/(?!\.)[A-Za-z0-9_@. -]{1,150}){0,4}\Z")


@dataclass(frozen=True)
class Output:
    """A file that a codegen job's manifest names. Its address is signed: keep it secret."""

    name: str
    url: str


@dataclass(frozen=True)
class Manifest:
    """What a codegen job made; `entries` are those of the manifest without their signed addresses."""

    outputs: tuple[Output, ...]
    errors: tuple[PartialError, ...]
    missing: tuple[MissingFile, ...]
    entries: tuple[dict[str, str], ...]


def read_manifest(content: bytes) -> Manifest:
    """Read a codegen job's manifest: {"Output": [{fileName, schemaName, downloadUrl or error}]}.

    Raises ServiceTrouble if it is no manifest at all. Faults of single entries are part of the result.
    """
    try:
        entries = json.loads(content)["Output"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ServiceTrouble("The codegen job's manifest is invalid: it has no Output") from None
    if not isinstance(entries, list):
        raise ServiceTrouble("The codegen job's manifest is invalid: its Output is not a list")
    outputs: dict[str, Output] = {}
    errors, missing, unsigned = [], [], []
    for entry in (entry for entry in entries if isinstance(entry, dict)):
        name, schema_name, url, error = (
            _text(entry, key) for key in ("fileName", "schemaName", "downloadUrl", "error")
        )
        unsigned.append({key: value for key, value in entry.items() if key != "downloadUrl" and isinstance(value, str)})
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
    return Manifest(tuple(outputs.values()), tuple(errors), tuple(missing), tuple(unsigned))


def _text(entry: dict[str, Any], key: str) -> str | None:
    value = entry.get(key)
    return value if isinstance(value, str) and value else None
