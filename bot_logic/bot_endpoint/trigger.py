"""The trigger handler: what the queue brought back, said in the conversation it belongs to."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference

from bot_logic.bot_endpoint.conversations import Conversations
from bot_logic.bot_endpoint.schema_json import Malformed, read
from bot_logic.deliveries import Deliveries
from bot_logic.envelope import TRIGGER_NAME, Envelope
from bot_logic.errors import (
    BadRequest,
    ConversationGone,
    RetryHelps,
    RetryNeverHelps,
    ServiceUnavailable,
    UndecodableMessage,
)
from bot_logic.settings import Secret
from bot_logic.signature import TriggerRefused, verify
from bot_logic.undelivered import Undelivered

logger = logging.getLogger(__name__)

SpeakFirst = Callable[[TurnContext, Envelope], Awaitable[None]]


class ProactiveAdapter(Protocol):
    """What this module needs of the adapter."""

    async def speak_first(
        self, reference: ConversationReference, logic: Callable[[TurnContext], Awaitable[None]]
    ) -> None:
        """Run `logic` in the referenced conversation, with no activity that asked for it."""


class TriggerHandler(Middleware):
    """Takes triggers out of the stream of turns; all else goes on to the bot.

    A message whose trigger verifies is in safe hands when the turn ends well: it was delivered,
    now or before, or put back for a later attempt, or it is a dead letter.
    """

    def __init__(
        self,
        signing_keys: tuple[Secret, ...],
        speak_first: SpeakFirst,
        conversations: Conversations,
        deliveries: Deliveries,
        undelivered: Undelivered,
    ) -> None:
        self._signing_keys = signing_keys
        self._speak_first = speak_first
        self._conversations = conversations
        self._deliveries = deliveries
        self._undelivered = undelivered

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Deliver a trigger's envelope, or go on with the turn if it is none."""
        if not _is_trigger(context.activity):
            await logic()
            return
        envelope = self._verified(context.activity)
        try:
            envelope.check_not_expired()
            deliver = partial(self._deliver, context.adapter, envelope)
            delivered = await self._deliveries.once(envelope.id, deliver)
        except (RetryHelps, RetryNeverHelps) as error:
            if isinstance(error, ConversationGone):
                await self._forget(envelope)
            await self._undelivered.settle(envelope, error)
        else:
            outcome = "delivered" if delivered else "not sent again, it was delivered before"
            logger.info("message %s %s", envelope.id, outcome)

    def _verified(self, activity: Activity) -> Envelope:
        try:
            return verify(activity.value, activity.conversation.id, self._signing_keys)
        except TriggerRefused as error:
            logger.warning("trigger refused in %s: %s", activity.conversation.id, error)
            raise BadRequest(str(error), status=403, code="TriggerRefused") from error

    async def _deliver(self, adapter: ProactiveAdapter, envelope: Envelope) -> None:
        await adapter.speak_first(
            _conversation_reference(envelope.reference),
            lambda turn: self._speak_first(turn, envelope),
        )

    async def _forget(self, envelope: Envelope) -> None:
        try:
            await self._conversations.forget(dict(envelope.reference))
        except ServiceUnavailable as error:
            logger.warning("conversation of message %s not forgotten: %s", envelope.id, error)


def _is_trigger(activity: Activity) -> bool:
    if activity.type == ActivityTypes.event:
        return bool(activity.name == TRIGGER_NAME)
    return bool(activity.type == TRIGGER_NAME)  # as the old template's worker sent it


def _conversation_reference(reference: Any) -> ConversationReference:
    try:
        return read(ConversationReference, dict(reference))
    except Malformed as error:
        raise UndecodableMessage(error.rule, field=f"conversation.{error.field}") from error
