"""Conversation references: the conversations that the bot can continue.

Written when a conversation is first met and when its reference changed, deleted when the bot was
removed or the channel says that the conversation is gone. A channel of Teams is stored once, not
once for each of its threads. Where the bot may not write for the time
being, the reference stays and is marked, until something is heard from there again.
"""

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from bot_logic.clock import Clock
from bot_logic.conversations.audiences import Audiences
from bot_logic.conversations.blocked import MAX_REASON, Blocked, unmarked
from bot_logic.storage.protocols import Row, StoredRow, Table, digest_key

TABLE_NAME: Final = "conversations"
KNOWN_FOR: Final = 300  # seconds in which a reference seen here is not written again
MAX_KNOWN: Final = 10_000  # conversations remembered in memory, about 2 MB

_THREAD: Final = re.compile(r"(?<=.);messageid=[0-9]+\Z", re.IGNORECASE | re.DOTALL)

Reference = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation; `blocked` is None as long as the bot may write to it."""

    reference: Reference
    blocked: Blocked | None
    topics: tuple[str, ...] = ()


class _Seen(NamedTuple):
    """What this process remembers of a reference that it has stored or read."""

    digest: str
    service_url: str
    since: float  # as the clock's `elapsed`


_NOT_SEEN: Final = _Seen("", "", float("-inf"))


class Conversations:
    """Conversation references by channel and conversation id."""

    def __init__(self, table: Table, audiences: Audiences, clock: Clock) -> None:
        self._table = table
        self.audiences = audiences
        self._clock = clock
        self._known: OrderedDict[str, _Seen] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def remember(self, reference: Reference, *, rewrite: bool = False) -> None:
        """Store a reference, unless this process stored the same one a moment ago.

        Args:
            reference: a ConversationReference as JSON.
            rewrite: store it in any case, as when the conversation has just (re)started.
        """
        reference = _of_channel(reference)
        if not rewrite and self.knows(reference):
            return
        async with self._in_turn(_name(reference)):
            await self._store(reference, rewrite=rewrite)

    async def _store(self, reference: Reference, *, rewrite: bool) -> None:
        name, data = _name(reference), json.dumps(reference, sort_keys=True)
        found = await self._table.read(digest_key(name))
        before: Row = {} if found is None else found.columns
        after = {**_kept(before), "key": name, "reference": data, "indexed": True}
        if rewrite or before != after:
            await self.audiences.add(reference, _topics(before))
            if before:
                old = json.loads(before["reference"])
                await self.audiences.renamed(old, reference, _topics(before))
        # Last, as it says that all is stored; always, so that who is marking it has to look again.
        await self._table.put(digest_key(name), after)
        self._note(name, reference)

    async def subscribe(self, reference: Reference, topic: str) -> bool:
        """Let a conversation be told what concerns a topic; False if there is none any more.

        Raises:
            ServiceUnavailable: a table cannot be reached, or the conversation has just changed.
        """
        return await self._change_topics(reference, topic, subscribed=True)

    async def unsubscribe(self, reference: Reference, topic: str) -> bool:
        """Let a conversation no longer be told what concerns a topic; False if there is none.

        Raises:
            ServiceUnavailable: a table cannot be reached, or the conversation has just changed.
        """
        return await self._change_topics(reference, topic, subscribed=False)

    async def _change_topics(self, reference: Reference, topic: str, *, subscribed: bool) -> bool:
        found = await self._table.read(digest_key(_name(reference)))
        if found is None:
            return False
        topics = {name: at for name, at in _topics(found.columns).items() if name != topic}
        if subscribed:
            topics[topic] = str(int(self._clock.now()))
        columns = {**found.columns, "topics": json.dumps(topics)}
        stored = json.loads(found.columns["reference"])
        if subscribed:  # the conversation's row says last what is to be deleted with it
            await self._table.replace(found.key, columns, found.etag)
            await self.audiences.subscribe(topic, stored)
        else:
            await self.audiences.unsubscribe(topic, stored)
            await self._table.replace(found.key, columns, found.etag)
        return True

    def knows(self, reference: Reference) -> bool:
        """Tell whether this process stored the same reference a moment ago."""
        return self._seen(_name(reference)).digest == _digest(_of_channel(reference))

    async def heard_from(self, channel_id: str, conversation_id: str, service_url: str) -> None:
        """Take the mark off a conversation and note where it is now, unless this was done just now.

        A conversation that is not stored stays unknown.
        """
        name = _named(channel_id, conversation_id)
        if self._seen(name).service_url == service_url:
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
                await self.audiences.add(reference, _topics(found.columns))
            await self._table.replace(found.key, columns, found.etag)
        self._note(name, reference)

    async def find(self, channel_id: str, conversation_id: str) -> Conversation | None:
        """Return what is known of a conversation, or None."""
        found = await self._table.read(digest_key(_named(channel_id, conversation_id)))
        if found is None:
            return None
        return Conversation(
            json.loads(found.columns["reference"]),
            Blocked.of(found.columns),
            tuple(_topics(found.columns)),
        )

    async def service_url(self, channel_id: str, conversation_id: str) -> str:
        """Return the service URL that was last heard from a conversation, or "".

        What this process stored a moment ago is not read again.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        if url := self._seen(_named(channel_id, conversation_id)).service_url:
            return url
        found = await self.find(channel_id, conversation_id)
        return "" if found is None else str(found.reference["serviceUrl"])

    async def forget(self, reference: Reference) -> None:
        """Delete the reference of a conversation that is over."""
        name = _name(reference)
        async with self._in_turn(name):
            self._known.pop(name, None)
            found = await self._table.read(digest_key(name))
            if found is not None:
                await self._delete(found)

    def _in_turn(self, name: str) -> asyncio.Lock:
        """Return what lets this process record a conversation's beginnings and ends in order.

        An end that came while a beginning was being written would find nothing to delete.
        """
        lock = self._turns.get(name)
        if lock is None:
            lock = self._turns[name] = asyncio.Lock()
        return lock

    async def _delete(self, found: StoredRow, etag: str | None = None) -> None:
        reference = json.loads(found.columns["reference"])
        await self.audiences.remove(reference, _topics(found.columns))
        await self._table.delete(found.key, etag)

    async def forget_stale(self, reference: Reference) -> None:
        """Delete a conversation's reference if it is this one, not one that has come since.

        A channel stays when one of its threads is gone.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the reference has just changed.
        """
        if _of_channel(reference) is not reference:
            return
        found = await self._stored(reference)
        if found is not None:
            await self._delete(found, found.etag)

    async def mark_blocked(self, reference: Reference, reason: str) -> None:
        """Note that the bot may not write to a conversation, if its reference is still this one.

        `remember` and `heard_from` take the mark off again; in another process that has stored the
        reference, not before `KNOWN_FOR` is over.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the reference has just changed.
        """
        found = await self._stored(reference)
        if found is None:
            return
        before, mark = (
            Blocked.of(found.columns),
            Blocked(reason[:MAX_REASON], int(self._clock.now())),
        )
        if before is None or before.reason != mark.reason:
            await self._table.replace(found.key, mark.on(found.columns), found.etag)

    async def _stored(self, reference: Reference) -> StoredRow | None:
        """Return a conversation's row if it holds this reference; only a newer one has another URL.

        Whatever comes next from there is written, whether this process knew it or not.
        """
        name = _name(reference)
        self._known.pop(name, None)
        found = await self._table.read(digest_key(name))
        if found is None:
            return None
        stored = json.loads(found.columns["reference"])
        return found if stored["serviceUrl"] == reference["serviceUrl"] else None

    def _seen(self, name: str) -> _Seen:
        """Return what was stored or read a moment ago, or nothing."""
        seen = self._known.get(name, _NOT_SEEN)
        return seen if self._clock.elapsed() - seen.since < KNOWN_FOR else _NOT_SEEN

    def _note(self, name: str, reference: Reference) -> None:
        now = self._clock.elapsed()
        self._known[name] = _Seen(_digest(reference), reference["serviceUrl"], now)
        self._known.move_to_end(name)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)


def _topics(row: Row) -> dict[str, str]:
    """Return the topics of a conversation's row, and since when (Unix time) it has each."""
    return dict(json.loads(row.get("topics", "{}")))


def _kept(row: Row) -> Row:
    """Return what stays of a conversation's row when its reference is written anew."""
    return {name: value for name, value in unmarked(row).items() if name == "topics"}


def _of_channel(reference: Reference) -> Reference:
    """Return a reference to the channel that a thread is in, and any other as it is."""
    conversation = reference["conversation"]
    channel_id = _without_thread(conversation["id"])
    if channel_id == conversation["id"]:
        return reference
    return reference | {"conversation": conversation | {"id": channel_id}}


def _without_thread(conversation_id: str) -> str:
    """Return what is left of a conversation's id without the thread, as Teams writes it.

    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/channel-and-group-conversations
    """
    return _THREAD.sub("", conversation_id)


def _digest(reference: Reference) -> str:
    return hashlib.sha256(json.dumps(reference, sort_keys=True).encode()).hexdigest()


def _name(reference: Reference) -> str:
    return _named(reference["channelId"], reference["conversation"]["id"])


def _named(channel_id: str, conversation_id: str) -> str:
    return json.dumps(
        [channel_id, _without_thread(conversation_id)]
    )  # either may hold any character
