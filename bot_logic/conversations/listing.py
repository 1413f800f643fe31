"""Whom the bot can tell something, a page at a time: by channel, topic or person, or everyone."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from bot_logic.conversations.audiences import (
    Audiences,
    Member,
    groups,
    people,
    recipient_of,
    topic,
)
from bot_logic.conversations.references import Conversation, Conversations
from bot_logic.errors import BadRequest

PAGE: Final = 100  # conversations in one answer


@dataclass(frozen=True, slots=True)
class Listing:
    """Some conversations, and where the next ones begin.

    Attributes:
        conversations: with all that is known of each.
        after: what the next page begins behind; "" if this is the last.
    """

    conversations: tuple[Conversation, ...]
    after: str = ""


async def listed(
    known: Conversations, *, channel: str = "", about: str = "", user: str = "", after: str = ""
) -> Listing:
    """Return conversations in the order of their keys, or the newest one of a user.

    Args:
        known: the store.
        channel: only those of this channel.
        about: only those that subscribed to this topic.
        user: only the newest personal conversation of this person.
        after: where the page before has ended.

    Raises:
        BadRequest: 400, no page of this list has ended there.
        ServiceUnavailable: a table cannot be reached.
    """
    audiences = known.audiences
    if user:
        found = await audiences.user(user)
        return Listing(await _known(known, [] if found is None else [found]))
    members = await _page(audiences, await _partitions(audiences, channel, about), after)
    last = members[PAGE - 1].key if len(members) > PAGE else None
    next_page = "" if last is None else f"{last.partition}/{last.row}"
    return Listing(await _known(known, members[:PAGE]), next_page)


async def _partitions(audiences: Audiences, channel: str, about: str) -> list[str]:
    if about:
        return [topic(about)]
    channels = [channel] if channel else await audiences.channels()
    return [kind(each) for each in channels for kind in (people, groups)]


async def _page(audiences: Audiences, partitions: list[str], after: str) -> list[Member]:
    """Return one more than a page has, if there are so many."""
    begun, _, row = after.partition("/")
    if after and begun not in partitions:
        raise BadRequest("must be the `after` of an answer of this list", field="after")
    start = partitions.index(begun) if after else 0
    found: list[Member] = []
    for partition in partitions[start:]:
        async for member in audiences.members(partition, after=row if partition == begun else ""):
            found.append(member)
            if len(found) > PAGE:
                return found
    return found


async def _known(known: Conversations, members: list[Member]) -> tuple[Conversation, ...]:
    """Return what is known of these; an index may be ahead of what it leads to."""
    skipped = await known.skips.among(recipient_of(each.reference) for each in members)
    found = await asyncio.gather(*(known.find(*each.conversation) for each in members))
    return tuple(
        replace(each, opted_out=skipped.opted_out.get(recipient_of(each.reference)))
        for each in found
        if each is not None
    )
