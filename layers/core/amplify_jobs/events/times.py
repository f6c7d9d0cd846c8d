"""When events happened, by the clocks of their hosts."""

from __future__ import annotations

from datetime import UTC, datetime

from amplify_jobs.events.event import Event


def occurrence_time(event: Event, received_at: datetime) -> datetime:
    """When the event happened, by the host's own clock where it tells, and never after we received it."""
    return min(host_time(event) or received_at, received_at)


def host_time(event: Event) -> datetime | None:
    """When the event happened, by the host's own clock; None where it does not tell."""
    written = event.event_time or (event.schedule.scheduled_time if event.schedule else None) or ""
    try:
        # GitHub writes seconds since 1970, GitLab the name UTC, all others ISO 8601.
        number = int(written) if written.isascii() and written.isdigit() else None
        iso = written.replace(" UTC", "+00:00")
        time = datetime.fromisoformat(iso) if number is None else datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return time if time.tzinfo is not None else None
