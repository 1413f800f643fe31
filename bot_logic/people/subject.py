"""Whom a request is about: by which ids, and in which conversations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot_logic.addresses import is_guid
from bot_logic.conversations import Conversation, Conversations
from bot_logic.conversations.audiences import digits_for, is_group
from bot_logic.conversations.channels import is_of_clients


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, or one conversation.

    Attributes:
        users: the ids of the person; empty for a conversation.
        conversations: those that are stored; of a person, the personal ones.
        named: ids of conversations, also of one that is not stored.
        channels: on which something may be kept of them.
    """

    users: frozenset[str]
    conversations: tuple[Conversation, ...]
    named: frozenset[str]
    channels: tuple[str, ...]

    @property
    def ids(self) -> frozenset[str]:
        """All ids that stand for them."""
        return self.users | self.named

    @property
    def digits(self) -> frozenset[str]:
        """All digits that stand for them in places of the audiences."""
        return digits_for(self.users, self.named, self.channels)


async def person_of_id(known: Conversations, user_id: str) -> Subject:
    """Find a person by one of their ids, and with it their others and all personal conversations.

    A channel that vouches for a person tells of their other ids. What a client says of itself does
    not: else a visitor who calls themselves somebody else would be forgotten together with them.

    Raises:
        ServiceUnavailable: a table cannot be reached.
    """
    given = {user_id, user_id.lower()} if is_guid(user_id) else {user_id}  # channels write it small
    ids = frozenset(given)
    for each in given:
        member = await known.audiences.user(each)
        if member is not None:
            ids |= vouched_ids(member.reference)
    while True:
        found = [each async for each in known.all() if ids & _ids(each.reference)]
        more = ids.union(*(vouched_ids(each.reference) for each in found))
        if more == ids:
            break
        ids = more
    found.sort(key=lambda each: bool(given & _ids(each.reference)))  # by the last, this can go on
    channels = tuple(await known.audiences.channels())
    return Subject(ids, tuple(found), frozenset(map(_id_of, found)), channels)


async def conversation_of_id(known: Conversations, conversation_id: str) -> Subject:
    """Find a conversation by its id, also one of which only a part is left.

    Raises:
        ServiceUnavailable: a table cannot be reached.
    """
    member = await known.audiences.conversation(conversation_id)
    found = None if member is None else await known.find(*member.conversation)
    conversations = [] if found is None else [found]
    if found is None:
        conversations = [each async for each in known.all() if _id_of(each) == conversation_id]
    channels = tuple(await known.audiences.channels())
    return Subject(frozenset(), tuple(conversations), frozenset({conversation_id}), channels)


def vouched_ids(reference: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of a reference's person, if its channel vouches for them."""
    return frozenset() if is_of_clients(reference["channelId"]) else _ids(reference)


def _ids(reference: Mapping[str, Any]) -> frozenset[str]:
    user = {} if is_group(reference) else reference.get("user") or {}
    return frozenset(str(each) for each in (user.get("id"), user.get("aadObjectId")) if each)


def _id_of(conversation: Conversation) -> str:
    return str(conversation.reference["conversation"]["id"])
