"""AWS's own generators under Node: files and models equal to those that they made elsewhere, and their failures."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from amplify_jobs.errors import InvalidSchemaError
from amplify_jobs.graphql.convert import convert_schema
from local.codegen import Generator, GeneratorError, SchemaError
from tests.support.node import needs_node
from tests.support.random_schemas import (
    homonymous_schema,
    misspelt_schema,
    random_schema,
    rekeyed_schema,
    repeated_schema,
    reserved_schema,
)

SHARED = Path(__file__).parents[4] / "shared" / "codegen"
REVIEWED = sorted((SHARED.parent / "cases" / "codegen").glob("*.graphql"))
PARTS = ("models", "nonModels", "enums")
GOLDEN = sorted(SHARED.glob("golden/*/"))
HASHES = SHARED / "expected_ui_files.json"
EXPECTED: dict[str, dict[str, Any]] = json.loads(HASHES.read_text()) if HASHES.exists() else {}
needs_shared = pytest.mark.skipif(not GOLDEN, reason="AWS's results are not beside the repository (../shared/codegen)")

# The others take long and show nothing that these do not.
CASES = [(name, True) for name in EXPECTED if not name.startswith("07")]
CASES += [(name, False) for name in EXPECTED if name.startswith("10")]


def job(schema: dict[str, Any], *, supported: bool = True, **react: Any) -> dict[str, Any]:
    return {
        "renderConfig": {
            "react": {
                "module": "es2020",
                "target": "es2020",
                "script": "jsx",
                "renderTypeDeclarations": True,
                "dependencies": {"aws-amplify": "^6.0.0"},
                **react,
            }
        },
        "genericDataSchema": schema,
        "autoGenerateForms": True,
        "features": {"isRelationshipSupported": supported, "isNonModelSupported": supported},
    }


def schema_of(sdl: str) -> dict[str, Any]:
    return convert_schema(sdl).schema.model_dump(mode="json", by_alias=True, exclude_none=True)


# --- UI code ---------------------------------------------------------------------------------------------------------


@needs_node
@needs_shared
@pytest.mark.parametrize(("name", "supported"), CASES)
def test_ui_code_is_what_aws_generates(name: str, supported: bool, tmp_path: Path) -> None:
    schema = json.loads((SHARED / "golden" / name / "genericDataSchema.json").read_text())
    code = Generator().generate_ui(job(schema, supported=supported), tmp_path)
    result = {
        file.file_name: {
            "schemaName": file.schema_name,
            "sha256": hashlib.sha256((tmp_path / file.file_name).read_bytes()).hexdigest(),
        }
        for file in code.files
    }
    assert result == EXPECTED[name]["features_on" if supported else "features_off"]
    assert code.errors == ()
    assert {path.name for path in tmp_path.iterdir()} == result.keys()


@needs_node
@pytest.mark.parametrize(
    ("script", "files"),
    [
        ("js", ["NoteCreateForm.js", "NoteCreateForm.js.d.ts", "index.js", "studioTheme.js.d.ts", "utils.js"]),
        ("tsx", ["NoteCreateForm.tsx", "index.ts", "studioTheme.ts", "utils.ts"]),
    ],
)
def test_the_script_kind_names_the_files(script: str, files: list[str], tmp_path: Path) -> None:
    code = Generator().generate_ui(job(schema_of("type Note @model { text: String }"), script=script), tmp_path)
    assert {file.file_name for file in code.files} >= set(files)
    assert any(file.file_name.endswith(".d.ts") for file in code.files) == (script == "js")


@needs_node
def test_a_schema_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    schema = schema_of(
        "type Note @model { text: String } type odd_name @model { a: Int } type Kindless @model { a: Int }"
    )
    schema["models"]["Kindless"]["fields"]["a"] |= {"dataType": "Enum", "dataTypeValue": "Gone"}
    code = Generator().generate_ui(job(schema, renderTypeDeclarations=False), tmp_path)
    no_name, no_enum = (
        "Expected an alphanumeric string with capital first letter",
        "Values could not be found for enum Gone",
    )
    assert code.errors == (
        SchemaError("odd_nameCreateForm", no_name),
        SchemaError("odd_nameUpdateForm", no_name),
        SchemaError("KindlessCreateForm", no_enum),
        SchemaError("KindlessUpdateForm", no_enum),
    )
    exported = (tmp_path / "index.js").read_text()
    assert "NoteCreateForm" in exported
    assert "odd_name" not in exported


@needs_node
def test_forms_come_only_if_they_are_asked_for(tmp_path: Path) -> None:
    job_order = job(schema_of("type Note @model { text: String }"), renderTypeDeclarations=False)
    code = Generator().generate_ui(job_order | {"autoGenerateForms": False}, tmp_path)
    assert [file.file_name for file in code.files] == ["studioTheme.js", "index.js"]


# --- Models ----------------------------------------------------------------------------------------------------------


@needs_node
@needs_shared
@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_models_are_what_aws_generates(folder: Path) -> None:
    schema = (folder / "schema.graphql").read_text()
    error = folder / "models" / "ERROR.txt"
    if error.exists():
        with pytest.raises(GeneratorError) as caught:
            Generator().generate_models(schema)
        assert str(caught.value) == error.read_text().strip()
        return
    models = Generator().generate_models(schema)
    assert models.files == {file.name: file.read_text() for file in (folder / "models").iterdir()}
    assert json.loads(models.introspection_schema) == json.loads((folder / "model-introspection.json").read_text())


# --- The mapping of schemas ------------------------------------------------------------------------------------------


@needs_node
def test_random_schemas_become_what_awss_libraries_make_of_them() -> None:
    Generator().generate_models("type Note @model { text: String }")  # installs the libraries, if need be
    schemas = [random_schema(Random(seed), careful=seed % 3 > 0) for seed in range(150)]
    schemas += [misspelt_schema(Random(seed)) for seed in range(150)]
    schemas += [repeated_schema(Random(seed)) for seed in range(150)]
    schemas += [reserved_schema(Random(seed)) for seed in range(75)]
    schemas += [homonymous_schema(Random(seed)) for seed in range(75)]
    schemas += [rekeyed_schema(Random(seed)) for seed in range(75)]
    schemas += [path.read_text() for path in REVIEWED]
    script = Path(__file__).parents[3] / "benchmarks" / "aws_generic_data_schema.mjs"
    lines = "".join(json.dumps({"schema": schema}) + "\n" for schema in schemas)
    answers = subprocess.run(["node", script], input=lines, capture_output=True, text=True, check=True).stdout
    refused = 0
    for schema, line in zip(schemas, answers.splitlines(), strict=True):
        expected = json.loads(line)
        if "error" in expected:
            refused += 1
            with pytest.raises(InvalidSchemaError):
                convert_schema(schema)
        else:
            result, expected_schema = schema_of(schema), expected["genericDataSchema"]
            assert result == expected_schema, schema
            assert [list(result[part]) for part in PARTS] == [list(expected_schema[part]) for part in PARTS], schema
    assert 0 < refused < len(schemas) * 0.6


# --- Failures --------------------------------------------------------------------------------------------------------


def program(folder: Path, name: str, script: str) -> str:
    """Put a program in front of the PATH, and give the PATH."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_without_node_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="no node on the PATH: install Node 20 or newer"):
        Generator(path=str(tmp_path)).generate_models("type Note @model { text: String }")


def test_with_an_old_node_it_says_what_to_install(tmp_path: Path) -> None:
    path = program(tmp_path, "node", "echo v18.20.4")
    with pytest.raises(GeneratorError, match=r"is v18\.20\.4: install Node 20 or newer"):
        Generator(path=path).generate_models("type Note @model { text: String }")


VERSION = 'if [ "$1" = --version ]; then echo v20.1.0; exit; fi'


@needs_node
def test_a_generator_that_crashes_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    path = program(tmp_path, "node", f"{VERSION}; echo out of luck; exit 3")
    with pytest.raises(GeneratorError, match="exit code 3: out of luck"):
        Generator(path=path).generate_models("type Note @model { text: String }")


@needs_node
def test_a_generator_that_hangs_is_ended(tmp_path: Path) -> None:
    path = program(tmp_path, "node", f"{VERSION}; sleep 600")
    with pytest.raises(GeneratorError, match="did not end within 1 seconds"):
        Generator(path=path, time_limit=1).generate_models("type Note @model { text: String }")


@needs_node
def test_stopping_ends_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    generator = Generator(path=program(tmp_path, "node", f"{VERSION}; echo > {started}; sleep 600"))
    failures: list[str] = []
    done = Event()

    def generate() -> None:
        try:
            generator.generate_models("type Note @model { text: String }")
        except GeneratorError as error:
            failures.append(str(error))
        done.set()

    Thread(target=generate, daemon=True).start()
    started.read_text()
    generator.stop()
    assert done.wait(60)
    assert "was stopped" in failures[0]
    with pytest.raises(GeneratorError, match="not started"):
        generator.generate_models("type Note @model { text: String }")
