"""Conversation references: the conversations that the bot can continue.

Written when a conversation is first met and when its reference changed, deleted when the bot was
removed or the channel says that the conversation is gone. A channel of Teams is stored once, not
once for each of its threads. Where the bot may not write for the time
being, the reference stays and is marked, until something is heard from there again.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from bot_logic.clock import Clock
from bot_logic.conversations.audiences import Audiences, recipient_of
from bot_logic.conversations.blocked import MAX_REASON, Blocked, unmarked
from bot_logic.conversations.forgotten import NEVER, Forgotten, forgotten_at, kept_mark, mark_since
from bot_logic.conversations.seen import SeenReferences, Whereabouts
from bot_logic.conversations.skips import Skips
from bot_logic.conversations.subscriptions import (
    only_topics,
    topics_of,
    with_topic,
    without_topic,
)
from bot_logic.conversations.threads import Reference, of_channel, without_thread
from bot_logic.storage.protocols import Row, RowConflict, StoredRow, Table, digest_key

TABLE_NAME: Final = "conversations"
TRIES: Final = 3  # to write a conversation that other processes write, too


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation.

    Attributes:
        reference: which leads there.
        blocked: None as long as the bot may write to it.
        topics: that it has subscribed to.
        opted_out: Unix time, seconds, since which broadcasts leave its person or group out.
    """

    reference: Reference
    blocked: Blocked | None
    topics: tuple[str, ...] = ()
    opted_out: int | None = None


class Conversations:
    """Conversation references by channel and conversation id."""

    def __init__(
        self,
        table: Table,
        audiences: Audiences,
        skips: Skips,
        forgotten: Forgotten,
        clock: Clock,
    ) -> None:
        self._table = table
        self.audiences = audiences
        self.skips = skips
        self._forgotten = forgotten
        self._clock = clock
        self._seen = SeenReferences(clock)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def remember(self, reference: Reference, *, rewrite: bool = False) -> None:
        """Store a reference, unless this process stored the same one a moment ago.

        Args:
            reference: a ConversationReference as JSON.
            rewrite: store it in any case, as when the conversation has just (re)started.
        """
        reference = of_channel(reference)
        if not rewrite and self.knows(reference):
            return
        async with self._in_turn(_name(reference)):
            for left in reversed(range(TRIES)):
                try:
                    await self._store(reference, rewrite=rewrite)
                except RowConflict:
                    if not left:
                        raise
                else:
                    return

    async def _store(self, reference: Reference, *, rewrite: bool) -> None:
        """Write a conversation, unless another process has since it was read: it may subscribe."""
        name, data = _name(reference), json.dumps(reference, sort_keys=True)
        found = await self._table.read(digest_key(name))
        before: Row = await self._new(name) if found is None else found.columns
        kept = {**only_topics(before), **kept_mark(before)}
        after = {**kept, "key": name, "reference": data, "indexed": True}
        if rewrite or before != after:
            await self.audiences.add(reference, topics_of(before))
            await self.skips.unblock(reference)
            if found is not None:
                await self._renamed(json.loads(before["reference"]), reference, topics_of(before))
        # Last, as it says that all is stored; always, so that who is marking it has to look again.
        if found is None:
            await self._table.insert(digest_key(name), after)
        else:
            await self._table.replace(found.key, after, found.etag)
        self._seen.note(name, reference, forgotten_at(after))

    async def _new(self, name: str) -> Row:
        """Return what is known of a conversation that is not stored: whether it was forgotten."""
        return mark_since(await self._forgotten.at(name))

    async def _renamed(
        self, before: Reference, after: Reference, topics: Mapping[str, str]
    ) -> None:
        """Let nothing lead to whoever spoke here before; that they said stop goes with a person.

        Whom the bot has met by their Entra id is known by the channel's own once they write. Who
        calls themselves by ever new names leaves a row for the last of them only.
        """
        gone = await self.audiences.renamed(before, after, topics)
        if recipient_of(before) == recipient_of(after):
            return
        if _is_same_person(before, after):
            await self.skips.follow(before, after)
        elif gone:
            await self.skips.forget(before)

    async def subscribe(self, reference: Reference, topic: str) -> bool:
        """Let a conversation be told what concerns a topic; False if there is none any more.

        Raises:
            BadRequest: 409, it has as many topics as a conversation may have.
            ServiceUnavailable: a table cannot be reached, or the conversation has just changed.
        """
        async with self._in_turn(_name(reference)):
            found = await self._table.read(digest_key(_name(reference)))
            if found is None:
                return False
            # The conversation's row says last what is to be deleted with it.
            columns = with_topic(found.columns, topic, self._clock.now())
            await self._table.replace(found.key, columns, found.etag)
            await self.audiences.subscribe(topic, json.loads(found.columns["reference"]))
            return True

    async def unsubscribe(self, reference: Reference, topic: str) -> bool:
        """Let a conversation no longer be told what concerns a topic; False if there is none.

        Raises:
            ServiceUnavailable: a table cannot be reached, or the conversation has just changed.
        """
        async with self._in_turn(_name(reference)):
            found = await self._table.read(digest_key(_name(reference)))
            if found is None:
                return False
            await self.audiences.unsubscribe(topic, json.loads(found.columns["reference"]))
            columns = without_topic(found.columns, topic)
            await self._table.replace(found.key, columns, found.etag)
            return True

    def knows(self, reference: Reference) -> bool:
        """Tell whether this process stored the same reference a moment ago."""
        return self._seen.has(_name(reference), of_channel(reference))

    async def heard_from(self, channel_id: str, conversation_id: str, service_url: str) -> None:
        """Take the mark off a conversation and note where it is now, unless this was done just now.

        A conversation that is not stored stays unknown.
        """
        name = _named(channel_id, conversation_id)
        seen = self._seen.whereabouts(name)
        if seen is not None and seen.service_url == service_url:
            return
        found = await self._table.read(digest_key(name))
        if found is None:
            return
        before = json.loads(found.columns["reference"])
        reference = before | {"serviceUrl": service_url}
        if reference != before or Blocked.of(found.columns) is not None:
            data = json.dumps(reference, sort_keys=True)
            columns = {**unmarked(found.columns), "reference": data}
            if reference != before:
                await self.audiences.add(reference, topics_of(found.columns))
            await self.skips.unblock(reference)
            await self._table.replace(found.key, columns, found.etag)
        self._seen.note(name, reference, forgotten_at(found.columns))

    async def find(self, channel_id: str, conversation_id: str) -> Conversation | None:
        """Return what is known of a conversation, or None."""
        found = await self._table.read(digest_key(_named(channel_id, conversation_id)))
        return None if found is None else _conversation(found.columns)

    async def all(self) -> AsyncIterator[Conversation]:
        """Yield all conversations that are stored.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        async for row in self._table.rows():
            yield _conversation(row.columns)

    async def whereabouts(self, channel_id: str, conversation_id: str) -> Whereabouts:
        """Return where a conversation is, and until when it was forgotten.

        What this process stored a moment ago is not read again. One that was forgotten and is not
        stored any more takes nothing at all.

        Raises:
            ServiceUnavailable: a table cannot be reached.
        """
        name = _named(channel_id, conversation_id)
        if (seen := self._seen.whereabouts(name)) is not None:
            return seen
        found = await self._table.read(digest_key(name))
        if found is not None:
            reference = json.loads(found.columns["reference"])
            return Whereabouts(str(reference["serviceUrl"]), forgotten_at(found.columns))
        never = await self._forgotten.at(name) == NEVER
        return Whereabouts("", NEVER if never else math.inf)

    async def mark_forgotten(self, reference: Reference) -> None:
        """Let nothing that was made until now be sent to a conversation; `forget` comes last.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        await self._forgotten.mark(_name(of_channel(reference)))

    async def forget(self, reference: Reference) -> None:
        """Delete the reference of a conversation that is over, and that its person said stop."""
        name = _name(reference)
        async with self._in_turn(name):
            self._seen.drop(name)
            found = await self._table.read(digest_key(name))
            if found is not None and await self._leave_audiences(found):
                await self.skips.forget(json.loads(found.columns["reference"]))
            if found is not None:
                await self._table.delete(found.key)

    def _in_turn(self, name: str) -> asyncio.Lock:
        """Return what lets this process record a conversation's beginnings and ends in order.

        An end that came while a beginning was being written would find nothing to delete.
        """
        lock = self._turns.get(name)
        if lock is None:
            lock = self._turns[name] = asyncio.Lock()
        return lock

    async def _leave_audiences(self, found: StoredRow) -> bool:
        reference = json.loads(found.columns["reference"])
        return await self.audiences.remove(reference, topics_of(found.columns))

    async def forget_stale(self, reference: Reference) -> None:
        """Delete a conversation's reference if it is this one, not one that has come since.

        A channel stays when one of its threads is gone, and so does that its person said stop: they
        may come again in a new conversation.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the reference has just changed.
        """
        if of_channel(reference) is not reference:
            return
        found = await self._stored(reference)
        if found is not None:
            await self._leave_audiences(found)
            await self._table.delete(found.key, found.etag)

    async def mark_blocked(self, reference: Reference, reason: str) -> None:
        """Note that the bot may not write to a conversation, if its reference is still this one.

        `remember` and `heard_from` take the mark off again; in another process that has stored the
        reference, not before `KNOWN_FOR` is over. Broadcasts leave them out for some days.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the reference has just changed.
        """
        found = await self._stored(reference)
        if found is None:
            return
        before = Blocked.of(found.columns)
        mark = Blocked(reason[:MAX_REASON], int(self._clock.now()))
        if before is None or before.reason != mark.reason:
            await self._table.replace(found.key, mark.on(found.columns), found.etag)
        await self.skips.block(json.loads(found.columns["reference"]), mark.reason)

    async def _stored(self, reference: Reference) -> StoredRow | None:
        """Return a conversation's row if it holds this reference; only a newer one has another URL.

        Whatever comes next from there is written, whether this process knew it or not.
        """
        name = _name(reference)
        self._seen.drop(name)
        found = await self._table.read(digest_key(name))
        if found is None:
            return None
        stored = json.loads(found.columns["reference"])
        return found if stored["serviceUrl"] == reference["serviceUrl"] else None


def _conversation(row: Row) -> Conversation:
    return Conversation(json.loads(row["reference"]), Blocked.of(row), tuple(topics_of(row)))


def _is_same_person(before: Reference, after: Reference) -> bool:
    """Tell whether two references are of one person, as Entra knows people."""
    users = [reference.get("user") or {} for reference in (before, after)]
    ids = {user.get("aadObjectId") for user in users}
    return len(ids) == 1 and None not in ids


def _name(reference: Reference) -> str:
    return _named(reference["channelId"], reference["conversation"]["id"])


def _named(channel_id: str, conversation_id: str) -> str:
    return json.dumps(
        [channel_id, without_thread(conversation_id)]
    )  # either may hold any character
