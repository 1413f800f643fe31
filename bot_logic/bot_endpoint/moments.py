"""When: as a bot says it in Python, or as the API takes it."""

from datetime import datetime, timedelta

Moment = str | float | datetime | timedelta


def as_in_json(moment: Moment) -> str | float:
    """Return a moment as the API takes it, which refuses a time without an offset by its field."""
    if isinstance(moment, datetime):
        return moment.isoformat()
    if isinstance(moment, timedelta):
        return moment.total_seconds()
    return moment
