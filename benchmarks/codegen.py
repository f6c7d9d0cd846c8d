"""How fast a GraphQL schema becomes a data schema beside AWS's own libraries, and what a codegen job takes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.figures import Row, Table
from local.codegen import Generator, GeneratorError

PROJECT = Path(__file__).parents[1]
GOLDEN = PROJECT.parent / "shared" / "codegen" / "golden"
OWN_COMMAND = (sys.executable, "-m", "benchmarks.convert_schemas")
AWS_COMMAND = ("node", "benchmarks/aws_generic_data_schema.mjs")

ROUNDS = 15
# How often each schema is converted to see how fast it is once everything is warm.
WARM = 50
MOST_OF_AWS = 0.1
MODELS = (2, 20)


@dataclass(frozen=True)
class Run:
    """One process's conversions: the milliseconds of each, and of everything from its start to its end."""

    each: Sequence[float]
    whole: float


def measure(console: Console) -> list[Table]:
    """Convert the golden schemas with both in turn, then run codegen jobs of few and of many forms."""
    try:
        # Also installs the libraries, which is not to be measured.
        Generator().generate_models("type Note @model { text: String }")
    except GeneratorError as error:
        return [Table("Codegen: not measured", ("why",), [Row([str(error)])])]
    return [*_conversions(console), _jobs(console)]


def _conversions(console: Console) -> list[Table]:
    schemas = [path.read_text() for path in sorted(GOLDEN.glob("*/schema.graphql"))]
    if not schemas:
        return [Table("Codegen: conversions not measured", ("why",), [Row([f"there are no schemas in {GOLDEN.name}"])])]
    own_runs, aws_runs = [], []
    for round_number in range(ROUNDS + 1):
        console.print(f"codegen: conversions, round {round_number} of {ROUNDS}", highlight=False)
        own_runs.append(_run(OWN_COMMAND, schemas))
        aws_runs.append(_run(AWS_COMMAND, schemas))
    once, warm = _run(OWN_COMMAND, schemas * WARM), _run(AWS_COMMAND, schemas * WARM)
    # What disturbs a process of a few milliseconds makes it slower and never faster.
    us = min(sum(run.each) for run in own_runs[1:])
    rows = [
        Row(["ours", f"{us:.1f} ms", ""]),
        _against("AWS's libraries", us, min(sum(run.each) for run in aws_runs[1:])),
        _against("AWS's libraries and their start-up", us, min(run.whole for run in aws_runs[1:])),
        Row(["ours and its start-up", f"{min(run.whole for run in own_runs[1:]):.0f} ms", ""]),
        Row([f"ours, the {WARM}th time", f"{sum(once.each[-len(schemas) :]):.1f} ms", ""]),
        Row([f"AWS's libraries, the {WARM}th time", f"{sum(warm.each[-len(schemas) :]):.1f} ms", ""]),
    ]
    title = f"{len(schemas)} GraphQL schemas to data schemas, one after the other ({ROUNDS} rounds, in turn)"
    return [Table(title, ("what", "fastest", "ours is of it"), rows)]


def _against(name: str, own: float, other: float) -> Row:
    ratio = own / other
    return Row([name, f"{other:.0f} ms", f"{ratio:.3f}"], f"<= {MOST_OF_AWS}", ratio <= MOST_OF_AWS)


def _run(command: Sequence[str], schemas: Sequence[str]) -> Run:
    program = shutil.which(command[0]) or command[0]
    lines = "".join(json.dumps({"schema": schema}) + "\n" for schema in schemas)
    began = time.perf_counter()
    process = subprocess.run(
        [program, *command[1:]], cwd=PROJECT, input=lines, capture_output=True, text=True, check=True
    )
    whole = (time.perf_counter() - began) * 1000
    return Run([json.loads(line)["milliseconds"] for line in process.stdout.splitlines()], whole)


def _jobs(console: Console) -> Table:
    rows = []
    for models in MODELS:
        console.print(f"codegen: a job with the forms of {models} models", highlight=False)
        process = subprocess.run(
            [sys.executable, "-m", "benchmarks.generate_forms", str(models)],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
        output: dict[str, Any] = json.loads(process.stdout)
        rows.append(Row([str(output["forms"]), f"{output['seconds']:.1f} s", f"{output['megabytes']:.0f} MB"]))
    return Table("A codegen job by AWS's generator under Node, with declarations", ("forms", "time", "memory"), rows)
