"""Conversation references: the conversations that the bot can continue.

Written when a conversation is first met and when its reference changed, deleted when the bot was
removed or the channel says that the conversation is gone.
"""

import hashlib
import json
from collections import OrderedDict
from typing import Any, Final

from bot_logic.clock import Clock
from bot_logic.storage.protocols import Table, digest_key

TABLE_NAME: Final = "conversations"
KNOWN_FOR: Final = 300  # seconds in which a reference seen here is not written again
MAX_KNOWN: Final = 10_000  # conversations remembered in memory, about 2 MB

Reference = dict[str, Any]


class Conversations:
    """Conversation references by channel and conversation id."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def remember(self, reference: Reference, *, rewrite: bool = False) -> None:
        """Store a reference, unless this process stored the same one a moment ago.

        Args:
            reference: a ConversationReference as JSON.
            rewrite: store it in any case, as when the conversation has just (re)started.
        """
        if rewrite or not self.knows(reference):
            name, data = _name(reference), json.dumps(reference, sort_keys=True)
            await self._table.put(digest_key(name), {"key": name, "reference": data})
            self._note(name, _digest(reference))

    def knows(self, reference: Reference) -> bool:
        """Tell whether this process stored the same reference a moment ago."""
        known, since = self._known.get(_name(reference), ("", 0.0))
        return known == _digest(reference) and self._clock.elapsed() - since < KNOWN_FOR

    async def find(self, channel_id: str, conversation_id: str) -> Reference | None:
        """Return the stored reference of a conversation, or None."""
        found = await self._table.read(digest_key(_named(channel_id, conversation_id)))
        return None if found is None else dict(json.loads(found.columns["reference"]))

    async def forget(self, reference: Reference) -> None:
        """Delete the reference of a conversation that is over."""
        name = _name(reference)
        self._known.pop(name, None)
        await self._table.delete(digest_key(name))

    async def forget_stale(self, reference: Reference) -> None:
        """Delete a conversation's reference if it is this one, not one that has come since.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the reference has just changed.
        """
        name = _name(reference)
        found = await self._table.read(digest_key(name))
        if found is None:
            return
        stored = json.loads(found.columns["reference"])
        if stored["serviceUrl"] == reference["serviceUrl"]:
            self._known.pop(name, None)
            await self._table.delete(found.key, found.etag)

    def _note(self, name: str, digest: str) -> None:
        self._known[name] = digest, self._clock.elapsed()
        self._known.move_to_end(name)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)


def _digest(reference: Reference) -> str:
    return hashlib.sha256(json.dumps(reference, sort_keys=True).encode()).hexdigest()


def _name(reference: Reference) -> str:
    return _named(reference["channelId"], reference["conversation"]["id"])


def _named(channel_id: str, conversation_id: str) -> str:
    return json.dumps([channel_id, conversation_id])  # either may hold any character
