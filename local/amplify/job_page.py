"""The page of a job that the console does not know: one that nobody follows, or that has only begun."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

from local.amplify.addresses import Addresses
from local.amplify.descriptions import describe_step
from local.amplify.state import ENDED, Branch, Job, Step

TAIL_LINES = 40
TAIL_BYTES = 16_384
_COLOURS = {"SUCCEED": "good", "FAILED": "bad"}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
p { margin: 0.25rem 0; }
a { color: light-dark(#0b57d0, #9ec1ff); }
.good { color: light-dark(#1b6e2d, #7fd08f); }
.bad { color: light-dark(#a8201a, #ff9c94); }
.wide, pre { overflow-x: auto; border: 1px solid light-dark(#cfd4da, #474c52); border-radius: 8px; }
.wide { margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.4rem 0.75rem; text-align: left; vertical-align: top; white-space: nowrap; }
td:nth-child(5) { white-space: normal; min-width: 12rem; }
tbody tr { border-top: 1px solid light-dark(#cfd4da, #474c52); }
pre { padding: 0.75rem; font-size: 0.85rem; margin: 0; }
@media (max-width: 40rem) {
  thead, td:empty { display: none; }
  tr { display: flex; flex-wrap: wrap; padding: 0.25rem 0; }
  td { padding: 0.1rem 0.75rem; }
}
"""


def job_page(app_name: str, branch: Branch, job: Job, addresses: Addresses) -> str:
    """The page as HTML; it loads itself again until the job has ended."""
    title = f"{app_name} {branch.name} #{job.id}: {job.status}"
    refresh = "" if job.status in ENDED else '<meta http-equiv="refresh" content="2">'
    rows = "".join(_row(job, step, addresses) for step in job.steps)
    table = (
        '<div class="wide" tabindex="0" role="region" aria-label="Steps"><table>'
        f"<thead><tr><th>Step<th>Status<th>Started<th>Took<th>Reason<th>Files</thead><tbody>{rows}</tbody></table></div>"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{refresh}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f'<main><p><a href="/_local/">Console</a></p>'
        f'<h1 class="{_COLOURS.get(job.status, "")}">{escape(title)}</h1>'
        f"<p>{escape(_subject(job))}</p>"
        f"<p>App {escape(branch.app_id)}, started {escape(job.started.isoformat(' ', 'seconds'))}</p>"
        f"{table if rows else '<p>The job waits for its turn.</p>'}{''.join(_log(job, step) for step in job.steps)}"
        f'<p><a href="{escape(addresses.site(branch.app_id, branch.name))}">The deployed site</a></p></main>\n'
    )


def _subject(job: Job) -> str:
    if job.source is not None:
        return f"Deployment of {job.source.name}"
    # What the API answers of a job started by StartJob is HEAD; which commit that was, only the clone knows.
    return f"{job.type} of {job.built_commit or job.commit_id}: {job.commit_message or 'no commit message'}"


def _row(job: Job, step: Step, addresses: Addresses) -> str:
    description = describe_step(job, step, addresses)
    links = " ".join(
        f'<a href="{escape(description[name])}">{label}</a>'
        for name, label in (("logUrl", "log"), ("artifactsUrl", "artifacts"))
        if description[name]
    )
    took = f"{(step.ended - step.started).total_seconds():.1f} s" if step.ended and step.started else ""
    started = step.started.isoformat(" ", "seconds") if step.started else ""
    status = f'<td class="{_COLOURS.get(step.status, "")}">{escape(step.status)}</td>'
    cells = "".join(f"<td>{escape(cell or '')}</td>" for cell in (started, took, step.reason))
    return f"<tr><td>{escape(step.name)}</td>{status}{cells}<td>{links}</td></tr>"


def _log(job: Job, step: Step) -> str:
    tail = log_tail(job.directory / step.log) if step.log else ""
    if not tail:
        return ""
    label = f"Last lines of {step.name}"
    lines = f'<pre tabindex="0" role="region" aria-label="{escape(label)}">{escape(tail)}</pre>'
    return f"<h2>{escape(label)}</h2>{lines}"


def log_tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, at most TAIL_BYTES of them; an empty text for a file that is gone."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.split("\n")[-lines - 1 :])
