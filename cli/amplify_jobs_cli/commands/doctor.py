"""`amplify-jobs doctor`: what is wrong with a deployed stack, and what to do about it."""

from __future__ import annotations

import argparse
from typing import Any

from rich.text import Text

from amplify_jobs_cli.commands.arguments import add_command, add_json, add_stack, find_stack
from amplify_jobs_cli.doctor.findings import Verdict, as_json, counts, summary
from amplify_jobs_cli.doctor.judging import judge
from amplify_jobs_cli.doctor.reading import observe
from amplify_jobs_cli.output.screen import labelled, put, put_json, screen

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red", Verdict.UNKNOWN: "cyan"}


def add_doctor(commands: Any) -> None:
    """Add the command and its options."""
    command = add_command(
        commands, "doctor", diagnose_stack, "amplify-jobs doctor\namplify-jobs doctor --all --stack web"
    )
    command.add_argument("--all", action="store_true", help="also what is as it should be")
    add_stack(command)
    add_json(command)


def diagnose_stack(options: argparse.Namespace) -> int:
    """Look at a deployed stack from every side, and say what is wrong and what to do."""
    findings = judge(observe(find_stack(options)))
    code = int(counts(findings)[Verdict.PROBLEM] > 0)
    if options.json:
        put_json(as_json(findings))
        return code
    console = screen()
    for finding in findings:
        if options.all or finding.verdict is not Verdict.OK:
            text = Text.assemble((finding.check, "bold"), f": {finding.text}")
            labelled(console, finding.verdict.value, text, _STYLES[finding.verdict])
            labelled(console, "", finding.advice)
    put(console, summary(findings))
    return code
