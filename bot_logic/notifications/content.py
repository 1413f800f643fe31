"""What a notification may say: as much as a channel takes."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot_logic.errors import BadRequest

# https://learn.microsoft.com/microsoftteams/limits-specifications-teams
MAX_CONTENT: Final = 28 * 1024  # bytes
SAYS: Final = ("text", "attachments", "suggestedActions", "speak", "channelData")

Activity = Mapping[str, Any]
AsSent = Callable[[Activity, str], Activity]
"""Returns an activity as recipients get it, with the button of this title if there is one.

Raises BadRequest if the bot cannot send it.
"""


def check_says_something(activity: Activity) -> None:
    """Let pass a message that has something to show.

    Raises:
        BadRequest: 400, it has nothing.
    """
    if activity.get("type") == "message" and not any(map(activity.get, SAYS)):
        raise BadRequest(f"says nothing: it has none of {', '.join(SAYS)}", field="activity")


def check_size(activity: Activity, field: str) -> None:
    """Let pass what takes no more bytes than possible.

    Raises:
        BadRequest: 413, naming the field; 400 if it is nested too deeply.
    """
    try:
        size = len(json.dumps(activity, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    except RecursionError:  # json takes a few levels less than msgspec
        raise BadRequest("is nested too deeply", field="activity") from None
    if size > MAX_CONTENT:
        raise BadRequest(
            f"takes {size} bytes as it is sent, {MAX_CONTENT} are possible",
            status=413,
            code="TooLarge",
            field=field,
        )
