"""A preview: how many would get a notification, whom it leaves out, and who the first are."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from bot_logic.conversations.audiences import recipient_in
from bot_logic.conversations.skips import Skips
from bot_logic.notifications.notification import Notification
from bot_logic.notifications.planner import Planner
from bot_logic.storage.protocols import Key

FIRST: Final = 10  # recipients that a preview shows
AT_ONCE: Final = 1000  # keys that are looked at together: one answer of a table


@dataclass(slots=True)
class Preview:
    """Who would get it.

    Attributes:
        recipients: all of the audience, those that are left out as well.
        opted_out: who said stop.
        blocked: who has lately blocked the bot, of the others.
        first: of those that are not left out, as their owner knows them.
    """

    recipients: int = 0
    opted_out: int = 0
    blocked: int = 0
    first: list[dict[str, str]] = field(default_factory=list)


async def preview(planner: Planner, skips: Skips, notification: Notification) -> Preview:
    """Count who would get a notification; send nothing.

    Raises:
        ServiceUnavailable: a table cannot be reached.
    """
    if not notification.is_broadcast:
        return await _of_named(planner, notification.to)
    seen, first = Preview(), list[Key]()
    for partition in await planner.partitions(notification.to):
        async for keys in _chunks(planner.audiences.count(partition)):
            skipped = await skips.among(recipient_in(key.row) for key in keys)
            names = [recipient_in(key.row) for key in keys]
            seen.recipients += len(keys)
            seen.opted_out += sum(name in skipped.opted_out for name in names)
            only_blocked = skipped.blocked.keys() - skipped.opted_out.keys()
            seen.blocked += sum(name in only_blocked for name in names)
            left = skipped.blocked.keys() | skipped.opted_out.keys()
            told = [key for key, name in zip(keys, names, strict=True) if name not in left]
            first += told[: FIRST - len(first)]
    members = await asyncio.gather(*(planner.audiences.member(key) for key in first))
    seen.first = [each.names for each in members if each is not None]
    return seen


async def _of_named(planner: Planner, to: Any) -> Preview:
    wanted = to if isinstance(to, list) else [to]
    found = [await planner.find(each, number) for number, each in enumerate(wanted)]
    known = list({each.recipient: each for each in found if each is not None}.values())
    return Preview(len(known), first=[each.names for each in known[:FIRST]])


async def _chunks(keys: AsyncIterator[Key]) -> AsyncIterator[list[Key]]:
    some: list[Key] = []
    async for key in keys:
        some.append(key)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some
