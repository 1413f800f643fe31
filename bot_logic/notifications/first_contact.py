"""First contact: a person on Teams whom the bot has never met, named by their Entra object id.

Nothing is stored of them before the channel has begun a conversation, which it does when their page
is sent. Until then the page names them by their place in the notification's `to`.
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bot_logic.conversations.audiences import Audiences, Member
from bot_logic.notifications.notification import Notification
from bot_logic.storage.protocols import Key

CHANNEL: Final = "msteams"
_PLACE: Final = "first"  # the partition that no table has


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
    return Member(Key(_PLACE, str(number)), reference)


async def behind(
    audiences: Audiences, notification: Notification, places: Iterable[str]
) -> dict[str, Member]:
    """Return who stands at the places of a page, as it is now; a newcomer may be known by now."""
    new, met = list[str](), list[str]()
    for place in places:
        (new if place.startswith(f"{_PLACE}/") else met).append(place)
    found = await audiences.behind(met) if met else {}
    for place in new:
        to = _asked_for(notification, int(place.partition("/")[2]))
        member = await audiences.user(str(to["user"])) if "user" in to else None
        if (member := member or newcomer(to, int(place.partition("/")[2]))) is not None:
            found[place] = member
    return found


def _asked_for(notification: Notification, number: int) -> Mapping[str, Any]:
    to = notification.to if isinstance(notification.to, list) else [notification.to]
    asked: Mapping[str, Any] = to[number]
    return asked
