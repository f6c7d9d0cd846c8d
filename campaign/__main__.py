"""Runs a campaign: `python -m campaign --seed 1 --pushes 60`; ends with 1 if anything is there that must not be."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Row, Table, show
from campaign.findings import Seen, lost, repeats, violations
from campaign.plan import plan
from campaign.storm import Storm, cloud_at_work


def main() -> int:
    """Run the campaign of the seed, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what decides pushes, faults and kills (1)")
    parser.add_argument("--pushes", type=int, default=60, help="how many pushes (60)")
    arguments = parser.parse_args()
    console = Console()
    planned = plan(arguments.seed, arguments.pushes)
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder, cloud_at_work(Path(folder)) as cloud:
        storm = Storm(cloud, Path(folder), planned)
        console.print(
            f"campaign: seed {arguments.seed}, {arguments.pushes} pushes, {len(planned.faults)} faults, "
            f"{len(planned.kills)} kills, {len(planned.report_failures)} failures of targets, "
            f"{planned.seconds:.0f} s of storm",
            highlight=False,
        )
        seen = storm.run()
    findings = list(violations(seen))
    show(_table(arguments.seed, arguments.pushes, seen, len(findings)), console)
    for delivery in seen.deliveries:
        if not delivery.accepted:
            console.print(
                f"  {delivery.status} to {delivery.delivery_id} (push {delivery.push}): {delivery.why}",
                markup=False,
                soft_wrap=True,
            )
    for violation in findings:
        console.print(f"VIOLATION: {violation}", markup=False, highlight=False, soft_wrap=True)
    console.print("All holds." if not findings else f"{len(findings)} violations.", highlight=False)
    return 1 if findings else 0


def _table(seed: int, pushes: int, seen: Seen, violated: int) -> Table:
    answers = Counter(delivery.status for delivery in seen.deliveries)
    programs, people, commits = repeats(seen)
    rows = [
        Row(("pushes and deliveries", f"{pushes} and {len(seen.deliveries)}")),
        *(Row((f"answers {status}", str(count))) for status, count in sorted(answers.items())),
        Row(("of them deferred", str(sum(delivery.deferred for delivery in seen.deliveries)))),
        Row(("slowest answer", f"{max(delivery.seconds for delivery in seen.deliveries):.1f} s")),
        Row(("pushes that no answer accepted and nothing built", str(len(lost(seen))))),
        Row(("executions", str(len(seen.executions)))),
        Row(("jobs", str(sum(seen.jobs_by_branch.values())))),
        Row(("calls of targets of reports that failed", str(seen.failed_calls))),
        Row(("ends told more than once to programs, to people, at commits", f"{programs}, {people}, {commits}")),
        Row(("violations", str(violated)), "0", violated == 0),
    ]
    return Table(f"Campaign of seed {seed}", ("what", "count"), rows)


if __name__ == "__main__":
    sys.exit(main())
