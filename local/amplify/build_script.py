"""A build's commands as one bash script, and what its end says: which command failed, or ended the shell early.

All sections share a shell, as on Amplify, where the state does not reset between steps (amplify-hosting issues 546,
2485): `cd`, `export` and functions of backend hold in frontend and test.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.amplify.build_spec import Section

COMMAND_NOT_FOUND = 127
END = "end"

# What bash and sh print of a program that is not there.
_MISSING = re.compile(r"(?:^|: )([^\s:]+): (?:command )?not found$", re.MULTILINE)

AMPLIFY_TOOLS = {
    "amplify": "the Amplify CLI",
    "amplifyPush": "a script that runs the Amplify CLI",
    "envCache": "a script for Amplify's environment cache",
    "nvm": "a function that chooses the version of Node.js",
}
"""Commands of Amplify's own build image that specs use, and that few other machines have."""


@dataclass(frozen=True)
class Step:
    """One command of a phase; `phase` is None where the shell goes to a section's build path, which `text` is."""

    section: str
    phase: str | None
    text: str


@dataclass(frozen=True)
class Script:
    """The script and its steps. It leaves the number of the step that it reached in a file, and END after the last."""

    text: str
    steps: tuple[Step, ...]

    def failure(self, reached: str, code: int, printed: str) -> str:
        """What failed, from the file's content, the shell's exit code, and the last of what it printed."""
        step = self._step(reached)
        if step is None:
            return f"the build's shell ended with exit code {code}"
        if step.phase is None:
            return no_directory(step.text)
        advice = _advice(printed) if code == COMMAND_NOT_FOUND else ""
        return f"{step.section}, {step.phase}: the command {step.text!r} failed with exit code {code}{advice}"

    def early_end(self, reached: str) -> str | None:
        """What a command that ended the shell without an error left out, or None if nothing was."""
        step = self._step(reached)
        if step is None:
            return None
        left = sum(1 for later in self.steps[int(reached) + 1 :] if later.phase is not None)
        if not left:
            return None
        commands = "1 command was" if left == 1 else f"{left} commands were"
        return f"{step.section}, {step.phase}: the command {step.text!r} ended the shell; {commands} not run"

    def _step(self, reached: str) -> Step | None:
        number = int(reached) if re.fullmatch(r"[0-9]{1,6}", reached, re.ASCII) else len(self.steps)
        return self.steps[number] if number < len(self.steps) else None


def script_of(sections: Sequence[Section], root: Path, reached: Path) -> Script:
    """Make the script of sections that are built below `root`; it stops at the first command that fails.

    Each command runs by `eval`, so that an open quote of one can't swallow the next.
    """
    steps: list[Step] = []
    lines: list[str] = []

    def begin(step: Step) -> None:
        lines.append(f"echo {len(steps)} >| {shlex.quote(str(reached))}")
        steps.append(step)

    for section in sections:
        title = f"{section.name.capitalize()} Build"
        lines.append(_print(f"## Starting {title}"))
        if section.enters_build_path:
            begin(Step(section.name, None, section.build_path))
            lines.append(f"cd -- {shlex.quote(str(root / section.build_path))} 2> /dev/null || exit 1")
        for phase, commands in section.phases:
            lines.append(_print(f"# Starting phase: {phase}"))
            for command in commands:
                lines.append(_print(f"# Executing command: {command}"))
                begin(Step(section.name, phase, command))
                lines += [
                    f"eval {shlex.quote(command)}",
                    "__amplify_status=$?",
                    '[ "$__amplify_status" -eq 0 ] || exit "$__amplify_status"',
                ]
            lines.append(_print(f"# Completed phase: {phase}"))
        lines.append(_print(f"## Completed {title}"))
    lines.append(f"echo {END} >| {shlex.quote(str(reached))}")
    return Script("\n".join(lines) + "\n", tuple(steps))


def no_directory(path: str) -> str:
    """Why a build can't begin, or go on, at a build path."""
    return f"the repository has no directory {path!r} to build in (appRoot or buildPath)"


def _print(text: str) -> str:
    return f"printf '%s\\n' {shlex.quote(text)}"


def _advice(printed: str) -> str:
    names = _MISSING.findall(printed)
    if not names:
        return ""
    name = names[-1]
    if name in AMPLIFY_TOOLS:
        return (
            f": {name} is on Amplify's build image, not on this machine ({AMPLIFY_TOOLS[name]}); "
            f"to build here too, write: if command -v {name}; then …; fi"
        )
    return f": {name} is not on this machine, whose own programs run the build"
