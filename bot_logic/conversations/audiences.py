"""Who can be told something: people, groups and topics as partitions that are read in key order.

Each row holds the reference that leads there, so that one range query finds a page of recipients
with all that sending to them takes. A person has one row a channel, with the newest of their
personal conversations. Rows of one lane (a channel and a tenant, which share a limit) lie together.
docs/decisions/0026-rows-are-the-truth-of-a-notification.md
"""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from typing import Any, Final

from bot_logic.conversations.channels import BOUND, is_of_clients
from bot_logic.storage.protocols import Between, Key, StoredRow, Table

TABLE_NAME: Final = "audiences"
CHANNELS: Final = "channels"  # the partition that lists the channels which have rows

LANE_DIGITS: Final = 16  # of a lane's id
_DIGITS: Final = 32  # of a digest; no two of a billion share them by chance
_GROUPS: Final = ("groupChat", "channel")


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares a limit: a channel, and the tenant in it if it has any."""

    channel: str
    tenant: str

    @classmethod
    def of(cls, reference: Mapping[str, Any]) -> "Lane":
        """Return the lane of the conversation that a reference leads to."""
        channel, tenant = reference["channelId"], reference["conversation"].get("tenantId")
        known = isinstance(tenant, str) and not is_of_clients(channel)
        return cls(channel, tenant if known else "")

    @property
    def id(self) -> str:
        """The lane's name in keys of rows."""
        return digest(self.channel, self.tenant)[:LANE_DIGITS]


@dataclass(frozen=True, slots=True)
class Member:
    """One who can be told something, and where the row is that says so."""

    key: Key
    reference: Mapping[str, Any]

    @classmethod
    def of(cls, row: StoredRow) -> "Member":
        """Read a table's row."""
        return cls(row.key, json.loads(row.columns["reference"]))

    @property
    def conversation(self) -> tuple[str, str]:
        """Where it can be told something."""
        return conversation_of(self.reference)

    @property
    def recipient(self) -> tuple[str, str]:
        """What makes two members the same recipient."""
        channel, conversation = self.conversation
        return channel, conversation or self.reference["user"]["id"]

    @property
    def is_met(self) -> bool:
        """Tell whether there is a conversation, and not only a person to begin one with."""
        return bool(self.reference["conversation"]["id"])

    @property
    def place(self) -> str:
        """The key as one text, by which a notification's page names the member."""
        return f"{self.key.partition}/{self.key.row}"

    @property
    def names(self) -> dict[str, str]:
        """What its owner knows it by: channel, conversation, and the person's id if it has one."""
        channel, conversation = self.conversation
        user = (self.reference.get("user") or {}).get("id")
        person = {"user": user} if user and not is_group(self.reference) else {}
        where = {"conversation": conversation} if conversation else {}
        return {"channel": channel, **where, **person}


class Audiences:
    """The index from users, conversations, channels and topics to references."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known_channels: set[str] = set()

    async def add(self, reference: Mapping[str, Any], topics: Mapping[str, str]) -> None:
        """Store where a conversation's people, or its group, can be told something.

        Args:
            reference: a ConversationReference as JSON.
            topics: of the conversation, by name.

        Raises:
            ServiceUnavailable: the table cannot be reached; the conversation is to be added again.
        """
        columns = {"reference": json.dumps(reference, sort_keys=True)}
        await asyncio.gather(
            *(self._table.put(key, columns) for key in _all_keys(reference, topics)),
            self._list_channel(reference["channelId"]),
        )

    async def remove(self, reference: Mapping[str, Any], topics: Mapping[str, str]) -> bool:
        """Delete the rows of a conversation that is over, but not those that lead elsewhere.

        Returns:
            whether its person, or its group, is in no audience any more.
        """
        keys = _all_keys(reference, topics)
        of_person, *_ = await asyncio.gather(*(self._remove_row(key, reference) for key in keys))
        return of_person

    async def renamed(
        self, before: Mapping[str, Any], after: Mapping[str, Any], topics: Mapping[str, str]
    ) -> bool:
        """Delete the rows of a conversation that `add` has put elsewhere since.

        Whom the bot has met by their Entra id is known by the channel's own once they write.

        Returns:
            whether the person of before is in no audience any more.
        """
        stay = set(_all_keys(after, topics))
        left = [key for key in _all_keys(before, topics) if key not in stay]
        removed = await asyncio.gather(*(self._remove_row(key, before) for key in left))
        return dict(zip(left, removed, strict=True)).get(_keys(before)[0], False)

    async def subscribe(self, topic: str, reference: Mapping[str, Any]) -> None:
        """Let a conversation be told what concerns a topic."""
        columns = {"reference": json.dumps(reference, sort_keys=True)}
        await self._table.put(topic_key(topic, reference), columns)

    async def unsubscribe(self, topic: str, reference: Mapping[str, Any]) -> None:
        """Let a conversation no longer be told what concerns a topic."""
        await self._table.delete(topic_key(topic, reference))

    async def user(self, user_id: str) -> Member | None:
        """Return the newest personal conversation of a user, by the channel's id or by Entra's.

        Whom a channel vouches for goes first. What a client says of itself is taken for no id but
        those that Direct Line binds a token to: else a visitor could pass for anybody.
        """
        found = await self.member(user_key(user_id))
        if found is None and user_id.startswith(BOUND):
            found = await self.member(_id_key("client", user_id))
        return found

    async def by_digits(self, digits: str) -> Member | None:
        """Return a conversation by the digits that stand for it."""
        return await self.member(_key_of_digits(digits))

    async def conversation(self, conversation_id: str) -> Member | None:
        """Return a conversation by its id."""
        return await self.member(_id_key("conversation", conversation_id))

    async def member(self, key: Key) -> Member | None:
        """Return who stands under a key, if somebody still does."""
        found = await self._table.read(key)
        return None if found is None else Member.of(found)

    async def behind(self, places: Sequence[str]) -> dict[str, Member]:
        """Return who stands at these places, as it is now; they are a page's, in any order."""
        partitions = {place.partition("/")[0] for place in places}
        if len(partitions) != 1:
            found = await asyncio.gather(*(self.member(_key_of(place)) for place in places))
            return {each.place: each for each in found if each is not None}
        first, last = _key_of(min(places)).row, _key_of(max(places)).row
        between = self.members(*partitions, after=first[:-1], last=last)
        return {each.place: each async for each in between}

    async def members(
        self, partition: str, *, after: str = "", last: str = "~"
    ) -> AsyncIterator[Member]:
        """Yield the members of a partition in the order of their keys."""
        async for row in self._table.rows(partition, between=Between(after, last)):
            yield Member.of(row)

    async def count(self, partition: str) -> AsyncIterator[Key]:
        """Yield the keys of a partition's members."""
        async for row in self._table.rows(partition, columns=("none",)):
            yield row.key

    async def channels(self) -> list[str]:
        """Return the channels in which somebody can be told something."""
        return [str(row.columns["channel"]) async for row in self._table.rows(CHANNELS)]

    async def _list_channel(self, channel: str) -> None:
        if channel not in self._known_channels:
            await self._table.put(Key(CHANNELS, digest(channel)), {"channel": channel})
            self._known_channels.add(channel)

    async def _remove_row(self, key: Key, reference: Mapping[str, Any]) -> bool:
        """Delete a row that leads to a conversation; tell whether there is none now."""
        found = await self._table.read(key)
        if found is not None and Member.of(found).conversation != conversation_of(reference):
            return False
        if found is not None:
            await self._table.delete(key, found.etag)
        return True


def people(channel: str) -> str:
    """Return the partition of a channel's people."""
    return f"people-{digest(channel)}"


def groups(channel: str) -> str:
    """Return the partition of a channel's groups."""
    return f"groups-{digest(channel)}"


def topic(name: str) -> str:
    """Return the partition of a topic."""
    return f"topic-{digest(name)}"


def topic_key(name: str, reference: Mapping[str, Any]) -> Key:
    """Return the key of a conversation in a topic: those of one person lie together."""
    conversation = digest(*conversation_of(reference))[:LANE_DIGITS]
    return Key(topic(name), f"{recipient_of(reference)}-{conversation}")


def recipient_of(reference: Mapping[str, Any]) -> str:
    """Return what names a conversation's person, or its group, in the order of their lane."""
    _, conversation_id = conversation_of(reference)
    person = (reference.get("user") or {}).get("id") or conversation_id
    name = conversation_id if is_group(reference) else str(person)
    return f"{Lane.of(reference).id}-{digest(name)}"


def recipient_in(row_key: str) -> str:
    """Return what names the person, or the group, of a row of people, groups or a topic."""
    return row_key[: LANE_DIGITS + 1 + _DIGITS]


def user_key(user_id: str) -> Key:
    """Return the key of a person for whom a channel vouches, by the channel's id or by Entra's."""
    return _id_key("user", user_id)


def is_group(reference: Mapping[str, Any]) -> bool:
    """Tell whether more than one person may read what is sent there."""
    conversation = reference["conversation"]
    return bool(conversation.get("isGroup")) or conversation.get("conversationType") in _GROUPS


def conversation_of(reference: Mapping[str, Any]) -> tuple[str, str]:
    """Return what names a conversation: its channel and its id."""
    return reference["channelId"], reference["conversation"]["id"]


def digits_of(conversation_id: str) -> str:
    """Return digits that stand for a conversation, by which it is found again."""
    return digest("conversation", conversation_id)


def digits_in(place: str) -> frozenset[str]:
    """Return the digits by which a place tells who stands there, and in which conversation."""
    partition, _, row = place.partition("/")
    _lane, *digits = row.split("-")
    return frozenset(digits) if digits else frozenset({partition.rpartition("-")[2] + row})


def digits_for(
    users: Collection[str], conversations: Collection[str], channels: Collection[str]
) -> frozenset[str]:
    """Return the digits that stand for people and conversations in all their places.

    Args:
        users: people's ids.
        conversations: conversations' ids.
        channels: on which they may be.
    """
    names: list[tuple[str, ...]] = [(each,) for each in (*users, *conversations)]
    names += product(("user", "client"), users)
    names += product(("conversation",), conversations)
    in_topics = (digest(*each)[:LANE_DIGITS] for each in product(channels, conversations))
    return frozenset((*(digest(*each) for each in names), *in_topics))


def digest(*names: str) -> str:
    """Return letters and digits that stand for names, which may hold any character."""
    return sha256(json.dumps(names).encode()).hexdigest()[:_DIGITS]


def _all_keys(reference: Mapping[str, Any], topics: Mapping[str, str]) -> list[Key]:
    return [*_keys(reference), *(topic_key(name, reference) for name in topics)]


def _keys(reference: Mapping[str, Any]) -> list[Key]:
    """Return where a conversation is found; first as a person's newest one, or as a group."""
    channel, conversation_id = conversation_of(reference)
    audience = groups(channel) if is_group(reference) else people(channel)
    keys = [Key(audience, recipient_of(reference)), _id_key("conversation", conversation_id)]
    if is_group(reference):
        return keys
    return [*keys, *_keys_of_user(channel, reference.get("user") or {})]


def _keys_of_user(channel: str, user: Mapping[str, Any]) -> list[Key]:
    """Return by which ids a person is found: on a client's own word, by nobody else's."""
    if is_of_clients(channel):
        user_id = str(user.get("id", ""))
        return [_id_key("client", user_id)] if user_id.startswith(BOUND) else []
    ids = (user.get("id"), user.get("aadObjectId"))
    return [user_key(str(each)) for each in dict.fromkeys(ids) if each]


def _key_of(place: str) -> Key:
    partition, _, row = place.partition("/")
    return Key(partition, row)


def _id_key(kind: str, name: str) -> Key:
    return _key_of_digits(digest(kind, name), kind)


def _key_of_digits(digits: str, kind: str = "conversation") -> Key:
    return Key(f"{kind}-{digits[:2]}", digits[2:])
