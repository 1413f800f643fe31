"""Conversation references that survive a restart: where the bot can speak first.

Written when a conversation is first met and when its reference changed, deleted when the bot was
removed or the channel says that the conversation is gone.
"""

import asyncio
import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from bot_logic.bot_endpoint.schema_json import write
from bot_logic.envelope import WORKER_USER_ID
from bot_logic.errors import ServiceUnavailable
from bot_logic.table import Table

TABLE_NAME: Final = "conversations"
KNOWN_FOR: Final = 300  # seconds in which a reference seen here is not written again
MAX_KNOWN: Final = 10_000  # conversations remembered in memory, about 2 MB

logger = logging.getLogger(__name__)
Reference = dict[str, Any]


class Conversations:
    """Conversation references by channel and conversation id, on Table Storage."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def remember(self, reference: Reference, *, rewrite: bool = False) -> None:
        """Store a reference, unless this process stored the same one a moment ago.

        Args:
            reference: a ConversationReference as JSON.
            rewrite: store it in any case, as when the conversation has just (re)started.
        """
        if rewrite or not self.knows(reference):
            key, data = _key(reference), json.dumps(reference, sort_keys=True)
            await self._table.put(key, {"key": key, "reference": data})
            self._note(key, _digest(reference))

    def knows(self, reference: Reference) -> bool:
        """Whether this process stored the same reference a moment ago."""
        known, since = self._known.get(_key(reference), ("", 0.0))
        return known == _digest(reference) and time.monotonic() - since < KNOWN_FOR

    async def find(self, channel_id: str, conversation_id: str) -> Reference | None:
        """The stored reference of a conversation, or None."""
        found = await self._table.read(f"{channel_id}/{conversation_id}")
        return None if found is None else dict(json.loads(found[0]["reference"]))

    async def forget(self, reference: Reference) -> None:
        """Delete the reference of a conversation that is over."""
        key = _key(reference)
        self._known.pop(key, None)
        await self._table.delete(key)

    def _note(self, key: str, digest: str) -> None:
        self._known[key] = digest, time.monotonic()
        self._known.move_to_end(key)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)


class ConversationRecorder(Middleware):
    """Keeps `Conversations` up to date with what each turn tells about them."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Record the turn's conversation beside the turn, which goes on, recorded or not."""
        recording = self._recording(context.activity)
        if recording is None:
            await logic()
        else:
            await asyncio.gather(_try(recording, context.activity), logic())

    def _recording(self, activity: Activity) -> Coroutine[Any, Any, None] | None:
        """What is to be done, which mostly is nothing."""
        if _bot_was_removed(activity):
            return self._conversations.forget(reference_of(activity))
        if _user_was_added(activity):
            return self._conversations.remember(reference_of(activity), rewrite=True)
        if activity.type == ActivityTypes.message and not _is_worker(activity.from_property):
            reference = reference_of(activity)
            if not self._conversations.knows(reference):
                return self._conversations.remember(reference)
        return None


async def _try(recording: Coroutine[Any, Any, None], activity: Activity) -> None:
    try:
        await recording
    except ServiceUnavailable as error:  # its next message brings the reference again
        logger.warning("conversation %s not recorded: %s", _id_of(activity), error)


def reference_of(activity: Activity) -> Reference:
    """Where an activity came from, as JSON: enough to speak there later.

    It names no activity to answer to, and in a group no single user.
    """
    reference = {
        "channelId": activity.channel_id,
        "serviceUrl": activity.service_url,
        "conversation": write(activity.conversation),
        "bot": write(activity.recipient),
    }
    if activity.from_property is not None and not activity.conversation.is_group:
        reference["user"] = write(activity.from_property)
    if activity.locale is not None:
        reference["locale"] = activity.locale
    return reference


def _digest(reference: Reference) -> str:
    return hashlib.sha256(json.dumps(reference, sort_keys=True).encode()).hexdigest()


def _key(reference: Reference) -> str:
    return f"{reference['channelId']}/{reference['conversation']['id']}"


def _id_of(activity: Activity) -> str:
    return f"{activity.channel_id}/{activity.conversation.id}"


def _is_worker(account: Any) -> bool:
    return account is not None and account.id == WORKER_USER_ID


def _bot_was_removed(activity: Activity) -> bool:
    if activity.type == ActivityTypes.installation_update:
        return bool(activity.action == "remove")
    if activity.type != ActivityTypes.conversation_update:
        return False
    return activity.recipient.id in {member.id for member in activity.members_removed or ()}


def _user_was_added(activity: Activity) -> bool:
    if activity.type == ActivityTypes.installation_update:
        return bool(activity.action == "add")
    if activity.type != ActivityTypes.conversation_update:
        return False
    added = {member.id for member in activity.members_added or ()}
    return bool(added - {activity.recipient.id, WORKER_USER_ID})
