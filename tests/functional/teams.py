"""People of a tenant of Teams, whom the bot has met, on a stand-in connector."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot_logic.conversations import Conversations
from bot_logic.conversations.audiences import Lane, digest, people
from local_dev.teams_connector import TeamsConnector, running

CHANNEL = "msteams"
TENANT = "00000000-0000-0000-0000-0000000c0075"
AT_ONCE = 50


def conversation_of(number: int) -> str:
    return f"a:conversation-{number:06}"


def user_of(number: int) -> str:
    return f"29:user-{number:06}"


def reference_of(number: int, service_url: str) -> dict[str, Any]:
    """Where one of them can be told something."""
    return {
        "channelId": CHANNEL,
        "serviceUrl": service_url,
        "conversation": {
            "id": conversation_of(number),
            "tenantId": TENANT,
            "conversationType": "personal",
        },
        "user": {"id": user_of(number), "aadObjectId": f"{number:032x}"},
        "bot": {"id": "28:the-bot"},
    }


def key_of(number: int) -> str:
    """The key by which a notification's page names one of them."""
    lane = Lane.of(reference_of(number, ""))
    return f"{people(CHANNEL)}/{lane.id}-{digest(user_of(number))}"


async def met(conversations: Conversations, service_url: str, count: int) -> None:
    """Let the bot have met so many people."""
    for start in range(0, count, AT_ONCE):
        some = range(start, min(start + AT_ONCE, count))
        await asyncio.gather(
            *(conversations.remember(reference_of(number, service_url)) for number in some)
        )


@asynccontextmanager
async def connecting(conversations: Conversations) -> AsyncIterator[TeamsConnector]:
    """Run a connector whose people nobody else tells anything, for they are forgotten with it.

    So is whoever a test before has left, for a broadcast to the channel would go to them, too.
    """
    await _forget_everyone(conversations)
    async with running(TeamsConnector()) as connector:
        yield connector
    await _forget_everyone(conversations)


async def _forget_everyone(conversations: Conversations) -> None:
    everyone = [each.reference async for each in conversations.audiences.members(people(CHANNEL))]
    for start in range(0, len(everyone), AT_ONCE):
        some = everyone[start : start + AT_ONCE]
        await asyncio.gather(*(conversations.forget(dict(each)) for each in some))
