"""Measures the figures and prints them beside their bounds: `python -m benchmarks [name ...]`, all without a name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

from rich.console import Console

from benchmarks.figures import Table, show
from local.server.broken_pipe import until_nobody_reads

BENCHMARKS = {
    "polling": "state transitions, polls and delay per job (simulated clock)",
    "matching": "one push against 100 and 1,000 routes",
    "cold_start": "each function's first and later answers against an ordinary function",
    "reporting": "from an announcement to the report that its target accepted, and its CPU",
    "largest_payloads": "receive_webhook's answer to the largest recorded payload of each host",
    "start_up": "the local cloud from start to ready",
    "many_pushes": "200 signed pushes at once over HTTP",
    "reconcile": "1,000 repositories looked at by reconcile: calls, time, cost",
    "growth": "100 and 1,000 pushes, at once and at ten a second (half an hour; only by its name)",
    "relay": "a relay of 1, 100 and 10,000 objects beside git fetch && git push",
    "codegen": "GraphQL to data schemas beside AWS's libraries; codegen jobs of 4 and 40 forms",
}


LONG = "growth"
"""Takes too long to be measured unasked."""


def main() -> int:
    """Run the named benchmarks; 0 if every bound holds, 1 if one does not."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures the project's figures.",
        epilog="; ".join(f"{name}: {purpose}" for name, purpose in BENCHMARKS.items()),
    )
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"one of {', '.join(BENCHMARKS)}; all but growth without any"
    )
    names = parser.parse_args().names or [name for name in BENCHMARKS if name != LONG]
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; use one of {', '.join(BENCHMARKS)}")
    console = Console()
    is_within_bounds = True
    for name in names:
        measure: Callable[[Console], list[Table]] = import_module(f"benchmarks.{name}").measure
        for table in measure(console):
            show(table, console)
            is_within_bounds = is_within_bounds and table.holds
    console.print("Every bound holds." if is_within_bounds else "Not every bound holds: see NO above.", highlight=False)
    return 0 if is_within_bounds else 1


if __name__ == "__main__":
    sys.exit(until_nobody_reads(main))
