"""The bot's way to speak later, or to others.

What it puts on the queue comes back to its `on_trigger`; a notification goes to whomever it names.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from bot_logic.bot_endpoint.recorder import reference_of
from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.clock import Chance, Clock
from bot_logic.contract.envelope import Envelope
from bot_logic.deadline import within
from bot_logic.errors import MessageNotInserted
from bot_logic.notifications.orders import Orders
from bot_logic.storage.protocols import MAX_DELAY, Queue
from bot_logic.telemetry import OFF, Telemetry
from bot_logic.telemetry.log_events import Event, EventLog
from bot_logic.telemetry.names import CHANNEL, ENQUEUED, MESSAGE_ID, SEND

PUT_TIMEOUT: Final = 6  # seconds; the queue itself takes 5 at most
NOTIFY_TIMEOUT: Final = 8  # seconds; it looks who is meant, and writes some rows
BEGIN_TIMEOUT: Final = 2  # seconds; else the timer begins with it
TIME_TO_SAY_SO: Final = 1  # seconds of the turn that are left for telling the user

log = EventLog(__name__)


class Outbox:
    """Puts messages on the queue, addressed to the turn's conversation, and notifies others."""

    def __init__(
        self,
        queue: Queue,
        clock: Clock,
        chance: Chance,
        message_lifetime: int,
        orders: Orders,
        *,
        telemetry: Telemetry = OFF,
    ) -> None:
        self._queue = queue
        self._orders = orders
        self._clock = clock
        self._chance = chance
        self._message_lifetime = message_lifetime
        self._telemetry = telemetry

    async def put(
        self,
        turn: TurnContext,
        text: str,
        *,
        data: Mapping[str, Any] | None = None,
        delay: int = 0,
    ) -> str:
        """Put a text on the queue, and return the message's id; then the queue has it.

        Args:
            turn: whose conversation it comes back to.
            text: what `on_trigger` finds in `envelope.text`.
            data: what it finds in `envelope.data`, as JSON: for example what this message is for.
            delay: seconds after which it comes back, at the earliest; a reminder.

        Raises:
            OversizedMessage: it does not fit into a queue message.
            QueueNotCreated: there is no queue and it could not be created.
            MessageNotInserted: the queue did not accept it.
        """
        message_id, channel = self._chance.new_id(), {CHANNEL: turn.activity.channel_id}
        with self._telemetry.span(SEND, {MESSAGE_ID: message_id, **channel}):
            envelope = Envelope.new(
                reference_of(turn.activity),
                text,
                message_id=message_id,
                now=self._clock.now(),
                lifetime=self._message_lifetime,
                data=data,
                delay=delay,
                traceparent=self._telemetry.traceparent(),
            )
            envelope.check_size()
            await self._put(envelope, min(delay, MAX_DELAY))
        self._telemetry.count(ENQUEUED, channel)
        log.info(Event.MESSAGE_QUEUED, message=envelope.id)
        return envelope.id

    async def notify(
        self,
        to: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        what: str | Activity,
        *,
        at: str | float | None = None,
        expires: str | float | None = None,
        key: str = "",
    ) -> str:
        """Notify a person, a conversation, a topic, a channel or everyone; return the id.

        Args:
            to: who, as in `POST /api/notifications`: docs/notifications.md.
            what: a text, or an activity, such as a card.
            at: seconds from now, or a time with its offset; by default now.
            expires: seconds after `at`, or a time, from which on nobody gets it any more.
            key: the same key with the same content sends once.

        Raises:
            BadRequest: it cannot be taken; its `field` is at fault.
            RetryableError: it was not taken; with the same key it can be tried again.
        """
        content = {"text": what} if isinstance(what, str) else {"activity": write(what)}
        times = {"at": at, "expires": expires}
        body = json.dumps({"to": to, **content, **times}).encode()
        # Only a process that notifies pays for the import.
        from bot_logic.notifications.request import parse  # noqa: PLC0415

        try:
            async with within(NOTIFY_TIMEOUT, leaving=TIME_TO_SAY_SO):
                request = parse(body, self._clock.now(), self._orders.lifetime)
                notification = await self._orders.store_once(request, key)
        except TimeoutError:
            raise MessageNotInserted("no time was left in this turn") from None
        with suppress(TimeoutError):  # it is stored, and so will be sent: nobody may order it again
            async with within(BEGIN_TIMEOUT, leaving=TIME_TO_SAY_SO):
                await self._orders.begin(notification)
        return notification.id

    async def _put(self, envelope: Envelope, delay: int) -> None:
        try:
            async with within(PUT_TIMEOUT, leaving=TIME_TO_SAY_SO):
                await self._queue.put(envelope.to_json(), delay=delay)
        except TimeoutError:
            raise MessageNotInserted("no time was left in this turn") from None
