"""In which time zone somebody writes, so that nine o'clock is theirs.

Teams says it, though not from every device, and Web Chat does from version 4.14 on:
https://learn.microsoft.com/dotnet/api/microsoft.bot.schema.activity.localtimezone
https://github.com/microsoft/botframework-sdk/issues/6433
https://github.com/microsoft/BotFramework-WebChat/pull/3896
"""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from botbuilder.schema import Activity


def time_zone_of(activity: Activity) -> tzinfo:
    """Return the time zone of whoever wrote; UTC if the channel names none, or none that is known.

    Its text is its name: tell people which it is.
    """
    try:
        return ZoneInfo(activity.local_timezone or "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
