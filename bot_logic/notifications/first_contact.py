"""First contact: a person on Teams whom the bot has never met, named by their Entra object id.

Nothing is stored of them before the channel has begun a conversation, which it does when their page
is sent. So the page names them by their place in the notification's `to`.
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bot_logic.conversations.audiences import Audiences, Member
from bot_logic.notifications.notification import Notification
from bot_logic.notifications.page import NOBODY
from bot_logic.storage.protocols import Key

CHANNEL: Final = "msteams"
_PARTITION: Final = "first"  # that no table has


def place_of(number: int) -> str:
    """Return the place of one of a notification's `to` on its pages."""
    return f"{_PARTITION}/{number}"


def newcomer(to: Mapping[str, Any], number: int) -> Member | None:
    """Return whom one of an audience means, as somebody who is to be met; None if it does not say.

    Args:
        to: one of the notification's audience.
        number: which of them, from 0.
    """
    if "serviceUrl" not in to:
        return None
    tenant, user = to["tenant"], to["user"]
    reference = {
        "channelId": CHANNEL,
        "serviceUrl": to["serviceUrl"],
        "conversation": {"id": "", "tenantId": tenant, "conversationType": "personal"},
        "user": {"id": user, "aadObjectId": user},
    }
    return Member(Key(_PARTITION, str(number)), reference)


async def behind(
    audiences: Audiences, notification: Notification, places: Iterable[str]
) -> dict[str, Member]:
    """Return who stands at the places of a page, as it is now; a newcomer may be known by now."""
    new, met = list[str](), list[str]()
    for place in places:
        if place == NOBODY:
            continue
        (new if place.startswith(f"{_PARTITION}/") else met).append(place)
    found = await audiences.behind(met) if met else {}
    asked = await asyncio.gather(*(_asked_for(audiences, notification, place) for place in new))
    return found | {place: each for place, each in zip(new, asked, strict=True) if each}


async def _asked_for(audiences: Audiences, notification: Notification, place: str) -> Member | None:
    number = int(place.partition("/")[2])
    to = notification.to[number] if isinstance(notification.to, list) else notification.to
    if "user" not in to:
        return None
    return await audiences.user(to["user"]) or newcomer(to, number)
