"""The text of a comment at a git host, in the Markdown that all of them have in common."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from amplify_jobs.reporting.kinds.markdown import code, inert, inert_link
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.reporting.wording import facts, sign, title
from amplify_jobs.text import shortened

_FACTS = ("Cause", "Advice", "Command", "Commit", "Route", "Request")
_FACT_LIMIT = 500


def comment_text(report: Report, limit: int, marker: str | None = None) -> str:
    """The whole comment, of at most `limit` characters: what does not fit is left out, from its end."""
    text = f"{marker}\n\n" if marker else ""
    text += f"### {sign(report)} {inert(shortened(title(report), 300))}\n"
    for part in _parts(report):
        if len(text) + len(part) > limit:
            break
        text += part
    return text


def _parts(report: Report) -> Iterator[str]:
    yield "\n"
    if report.site and report.state in {ReportState.SUCCEEDED, ReportState.PENDING}:
        yield f"- **Preview:** {inert_link(urlsplit(report.site).hostname or 'site', report.site)}\n"
    yield from (
        f"- **{label}:** {inert(shortened(value, _FACT_LIMIT))}\n" for label, value in facts(report) if label in _FACTS
    )
    if report.console:
        yield f"- **Job:** {inert_link('console', report.console)}\n"
    if report.failure and report.failure.excerpt:
        yield f"\n**Log:**\n\n{code(report.failure.excerpt)}\n"
