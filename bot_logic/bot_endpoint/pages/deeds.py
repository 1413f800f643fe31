"""What a notification does to one recipient: it sends a message, deletes one, or replaces one.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/update-and-delete-bot-messages
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from botframework.connector.auth import ConnectorFactory

from bot_logic.bot_endpoint.got_it import GotIt
from bot_logic.bot_endpoint.pages.beginnings import Beginnings, may_begin
from bot_logic.bot_endpoint.sdk.card_actions import with_known_actions
from bot_logic.bot_endpoint.sdk.model_json import read
from bot_logic.bot_endpoint.sdk.turn_context import copy
from bot_logic.conversations.audiences import Audiences, Member, digits_of
from bot_logic.errors import ConversationGone, Refused
from bot_logic.notifications import first_contact
from bot_logic.notifications.notification import Notification
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.page import Message, Recipient


class Deed(Protocol):
    """What is done to each recipient of a page."""

    refused: ClassVar[Outcome]  # of whom the channel will never do it for

    async def find(self, recipients: Sequence[Recipient]) -> Mapping[str, Member]:
        """Return who is behind the recipients' keys, as it stands now."""

    async def do(self, recipient: Recipient, member: Member) -> Recipient:
        """Do it, and return the recipient with its outcome.

        Raises:
            ProactiveBotError: it was not done.
        """


@dataclass(frozen=True, slots=True)
class Ways:
    """What leads to recipients: where each can be told something, and the way into a channel."""

    notification: Notification
    audiences: Audiences
    channels: ConnectorFactory
    beginnings: Beginnings

    async def behind(self, recipients: Sequence[Recipient]) -> dict[str, Member]:
        """Return who is behind the recipients' keys, as it stands now."""
        keys = [each.key for each in recipients]
        return await first_contact.behind(self.audiences, self.notification, keys)

    async def to(self, reference: Mapping[str, Any]) -> Any:
        """Return the client of the channel that a conversation is in."""
        connector: Any = await self.channels.create(reference["serviceUrl"])
        return connector.conversations


@dataclass(frozen=True, slots=True)
class Words:
    """What is said to each recipient; `got_it` is the button on it, if there is one."""

    activity: Activity
    got_it: GotIt | None = None

    def to(self, recipient: Recipient, reference: Mapping[str, Any]) -> Activity:
        """Return the activity as it goes to one recipient."""
        activity = self.got_it.on(self.activity, recipient) if self.got_it else self.activity
        return _addressed(activity, reference)


@dataclass(frozen=True, slots=True)
class Send:
    """Sends a message."""

    ways: Ways
    words: Words
    refused: ClassVar[Outcome] = Outcome.REFUSED

    async def find(self, recipients: Sequence[Recipient]) -> Mapping[str, Member]:
        """Return who is behind the recipients' keys, as it stands now."""
        return await self.ways.behind(recipients)

    async def do(self, recipient: Recipient, member: Member) -> Recipient:
        """Send; where there is no conversation, or none any more, the bot begins one if it may."""
        if not member.is_met:
            member = await self.ways.beginnings.first(member)
        reference = member.reference
        try:
            message = await self._post(recipient, reference)
        except ConversationGone:
            if not may_begin(reference):
                raise
            anew = await self.ways.beginnings.anew(reference)
            message = await self._post(recipient, anew)
        return recipient.sent(message)

    async def _post(self, recipient: Recipient, reference: Mapping[str, Any]) -> Message:
        channel, conversation_id = await self.ways.to(reference), reference["conversation"]["id"]
        activity = self.words.to(recipient, reference)
        answer = await channel.send_to_conversation(conversation_id, activity)
        return Message.taken(digits_of(conversation_id), str(answer.id))


@dataclass(frozen=True, slots=True)
class _Change:
    """What is done to a message that was sent."""

    ways: Ways

    async def find(self, recipients: Sequence[Recipient]) -> Mapping[str, Member]:
        """Return where each message was sent to."""
        return await _where_sent(self.ways, recipients)


@dataclass(frozen=True, slots=True)
class Recall(_Change):
    """Deletes a message."""

    refused: ClassVar[Outcome] = Outcome.CANNOT_BE_RECALLED

    async def do(self, recipient: Recipient, member: Member) -> Recipient:
        """Delete the message."""
        channel, activity_id = await self.ways.to(member.reference), _activity_id(recipient)
        await channel.delete_activity(member.reference["conversation"]["id"], activity_id)
        return recipient.ended(Outcome.RECALLED)


@dataclass(frozen=True, slots=True)
class Edit(_Change):
    """Replaces a message."""

    words: Words
    refused: ClassVar[Outcome] = Outcome.CANNOT_BE_EDITED

    async def do(self, recipient: Recipient, member: Member) -> Recipient:
        """Replace the message."""
        reference, activity_id = member.reference, _activity_id(recipient)
        activity = self.words.to(recipient, reference)
        activity.id = activity_id
        channel = await self.ways.to(reference)
        await channel.update_activity(reference["conversation"]["id"], activity_id, activity)
        return recipient.ended(Outcome.EDITED)


NO_ID: Final = "the channel has given no id by which the message could be found"


def _activity_id(recipient: Recipient) -> str:
    if recipient.message is None or not recipient.message.activity:
        raise Refused(NO_ID)
    return recipient.message.activity


async def _where_sent(ways: Ways, recipients: Sequence[Recipient]) -> Mapping[str, Member]:
    """Return where each message is: a person's newest conversation may be another by now."""
    members = await ways.behind(recipients)
    elsewhere = {
        each.key: each.message.conversation
        for each in recipients
        if each.message and not _leads_to(members.get(each.key), each.message.conversation)
    }
    found = await asyncio.gather(*map(ways.audiences.by_digits, elsewhere.values()))
    there = {key: member for key, member in zip(elsewhere, found, strict=True) if member}
    return {key: each for key, each in members.items() if key not in elsewhere} | there


def _leads_to(member: Member | None, digits: str) -> bool:
    if not digits:  # an older version has sent it, and noted no conversation
        return True
    return member is not None and digits_of(member.reference["conversation"]["id"]) == digits


def _addressed(activity: Activity, reference: Mapping[str, Any]) -> Activity:
    """Return an activity as it goes to one conversation."""
    addressed = copy(activity)
    addressed.channel_id = reference["channelId"]
    addressed.attachments = with_known_actions(activity.attachments, reference["channelId"])
    addressed.service_url = reference["serviceUrl"]
    addressed.conversation = read(ConversationAccount, reference["conversation"])
    addressed.from_property = read(ChannelAccount, reference.get("bot") or {})
    addressed.recipient = read(ChannelAccount, reference.get("user") or {})
    return addressed
