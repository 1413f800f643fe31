"""What the bot keeps from turn to turn, found by channel and id as the bot SDK names it.

https://learn.microsoft.com/azure/bot-service/bot-builder-concept-state
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from bot_logic.people.subject import Subject
from bot_logic.storage.protocols import Key, Table, digest_key


@dataclass(frozen=True, slots=True)
class KeptState:
    """The table of states and of conversations' counts."""

    table: Table
    name: ClassVar[str] = "state"

    async def of(self, subject: Subject) -> dict[str, Any]:
        """Return the states and counts of somebody, by their names.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        found = dict[str, Any]()
        async for name, columns in self._rows(subject):
            text = columns.get("data")
            found[name] = columns["count"] if text is None else json.loads(text)
        return found

    async def forget(self, subject: Subject) -> bool:
        """Delete them; False if there are none.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        found = [name async for name, _ in self._rows(subject)]
        for name in found:
            await self.table.delete(digest_key(name))
        return bool(found)

    async def _rows(self, subject: Subject) -> AsyncIterator[tuple[str, Any]]:
        for name in _names(subject):
            row = await self.table.read(digest_key(name))
            if row is not None:
                yield name, row.columns
        async for key, name in self._threads(subject):
            row = await self.table.read(key)
            if row is not None:
                yield name, row.columns

    async def _threads(self, subject: Subject) -> AsyncIterator[tuple[Key, str]]:
        """Yield the states of a channel's threads, whose numbers nobody knows."""
        beginnings = tuple(
            f"{each.reference['channelId']}/conversations/"
            f"{each.reference['conversation']['id']};messageid="
            for each in subject.conversations
            if each.reference["conversation"].get("conversationType") == "channel"
        )
        if beginnings:
            async for row in self.table.rows(columns=("key",)):
                if (name := row.columns.get("key") or "").startswith(beginnings):
                    yield row.key, name


def _names(subject: Subject) -> Iterator[str]:
    for channel in subject.channels:
        for user in sorted(subject.users):
            yield f"{channel}/users/{user}"
        for conversation in sorted(subject.named):
            yield f"{channel}/conversations/{conversation}"
            yield f"{channel}/messageCount/{conversation}"
