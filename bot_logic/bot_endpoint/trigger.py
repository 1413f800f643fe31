"""The trigger handler: what the queue brought back, said in the conversation it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference

from bot_logic.addresses import ServiceUrls, base_url
from bot_logic.bot_endpoint.adapter import FunctionsAdapter
from bot_logic.bot_endpoint.sdk.model_json import Malformed, read
from bot_logic.clock import Clock
from bot_logic.contract.envelope import TRIGGER_NAME, Envelope
from bot_logic.contract.page_order import PageOrder
from bot_logic.contract.retry import Failure
from bot_logic.contract.status import Status
from bot_logic.contract.trigger_token import Trigger, TriggerRefused, verify
from bot_logic.conversations.references import Conversations
from bot_logic.deadline import to_its_end, within
from bot_logic.delivery.host_gate import HostGate
from bot_logic.delivery.idempotency import Ending, IdempotencyRecords
from bot_logic.delivery.redelivery import Redelivery
from bot_logic.errors import (
    AskedInVain,
    BadRequest,
    ConversationBlocked,
    ConversationGone,
    ExpiredMessage,
    HostDown,
    ServiceUnavailable,
    UndecodableMessage,
)
from bot_logic.secret import Secret
from bot_logic.telemetry import Span, Telemetry
from bot_logic.telemetry.log_events import Event, EventLog, fingerprint
from bot_logic.telemetry.names import (
    CHANNEL,
    DELIVER,
    DELIVERED,
    DURATION,
    MESSAGE_ID,
    NOTIFICATION,
    SEND_PAGE,
)

DELIVERY_TIMEOUT: Final = 12  # seconds for `on_trigger`; what it has begun to send is sent
LOOK_UP_TIMEOUT: Final = 1  # seconds for what is known of the conversation

log = EventLog(__name__)


class ProactiveBot(Protocol):
    """What this module needs of the bot."""

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        """Say in the turn's conversation what the queue brought back."""


class Pages(Protocol):
    """What sends the pages of notifications."""

    async def send(self, order: PageOrder) -> None:
        """Send a page for as long as the order says.

        Raises:
            ServiceUnavailable: a table cannot be reached; what could not be noted is done again.
        """


def is_trigger(document: dict[str, Any]) -> bool:
    """Tell whether an activity says that it is a trigger; whether it is true is for `take`."""
    if document["type"] == ActivityTypes.event:
        return bool(document.get("name") == TRIGGER_NAME)
    return bool(document["type"] == TRIGGER_NAME)  # as the old template's worker sent it


def activity_of(envelope: Envelope) -> Activity | None:
    """Return the activity that an envelope wants to be sent, or None if it has only a text.

    Raises:
        UndecodableMessage: naming the field at fault.
    """
    if envelope.activity is None:
        return None
    try:
        return read(Activity, {"type": ActivityTypes.message, **envelope.activity})
    except Malformed as error:
        raise UndecodableMessage(error.rule, field=f"activity.{error.field}") from error


@dataclass(frozen=True, slots=True)
class TriggerHandler:
    """Delivers what triggers carry.

    When `take` returns, the message of a trigger that verified was delivered, now or before, or it
    was put back for a later attempt, or it is a dead letter. When it raises, the worker still has
    it.
    """

    adapter: FunctionsAdapter
    bot: ProactiveBot
    conversations: Conversations
    records: IdempotencyRecords
    redelivery: Redelivery
    gate: HostGate
    service_urls: ServiceUrls
    clock: Clock
    signing_keys: tuple[Secret, ...]
    pages: Callable[[], Pages]  # made for the first of them
    telemetry: Telemetry

    async def take(self, document: dict[str, Any]) -> None:
        """Deliver a trigger's envelope, or a page; to the end even if the caller is cancelled.

        Args:
            document: an activity that `is_trigger`, from whomever.

        Raises:
            BadRequest: 403, the worker did not sign it.
            NewerVersion: a worker of a newer version signed it.
            HostDown, AskedInVain: its channel fails for every message.
            QueueUnavailable: it could neither be delivered nor put back.
        """
        carried = self._verified(document)
        if isinstance(carried, PageOrder):
            await to_its_end(self._page(carried))
        else:
            await to_its_end(self._traced(carried))

    async def _page(self, order: PageOrder) -> None:
        about = {NOTIFICATION: order.notification}
        with self.telemetry.span(SEND_PAGE, about, cause=order.traceparent):
            await self.pages().send(order)

    async def _traced(self, trigger: Trigger) -> None:
        message = trigger.envelope
        about = {MESSAGE_ID: message.id, CHANNEL: message.conversation["channelId"]}
        cause = trigger.traceparent or message.traceparent
        with self.telemetry.span(DELIVER, about, cause=cause) as span:
            await self._see_to(message, span)

    def _verified(self, document: dict[str, Any]) -> Trigger | PageOrder:
        conversation_id = document["conversation"]["id"]
        try:
            return verify(
                document.get("value"), conversation_id, self.signing_keys, self.clock.now()
            )
        except TriggerRefused as error:
            log.warning(
                Event.TRIGGER_REFUSED, conversation=fingerprint(conversation_id), reason=str(error)
            )
            raise BadRequest(str(error), status=403, code="TriggerRefused") from error

    async def _see_to(self, message: Envelope, span: Span) -> None:
        envelope = await self._readdressed(message)
        if envelope is None:
            await self.records.forget(message.key)
            log.info(Event.MESSAGE_FORGOTTEN, message=fingerprint(message.id))
            return
        see_to_failure = partial(self._after_failure, envelope, span)
        try:
            envelope.check_not_expired(self.clock.now())
            self.gate.check(_host(envelope))  # before anything is written because of it
            ending = await self.records.once(
                envelope.key,
                partial(self._deliver, envelope),
                attempt=envelope.attempt + 1,
                on_failure=see_to_failure,
            )
        except (HostDown, AskedInVain):
            raise
        except (ServiceUnavailable, ExpiredMessage) as error:  # nothing has been sent
            await see_to_failure(error)
        else:
            if ending.now and ending.status == Status.DELIVERED:
                self._count(envelope)
            _log_ending(envelope, ending)

    def _count(self, envelope: Envelope) -> None:
        channel = {CHANNEL: envelope.conversation["channelId"]}
        self.telemetry.count(DELIVERED, channel)
        self.telemetry.measure(DURATION, max(0, self.clock.now() - envelope.due), channel)

    async def _readdressed(self, envelope: Envelope) -> Envelope | None:
        """Return an envelope with the service URL that was heard last from its conversation.

        None if the conversation was forgotten since it was made.

        A message may have been under way, or its producer may have kept its reference, since before
        the service moved. https://devblogs.microsoft.com/microsoft365dev/updates-for-microsoft-teams-bots-in-multi-geo-environments/
        """
        reference = envelope.conversation
        if not self.service_urls.allow(reference["serviceUrl"]):
            return envelope  # which is refused: no message that names a stranger's host is sent
        try:
            async with within(LOOK_UP_TIMEOUT):
                url, forgotten_at = await self.conversations.whereabouts(
                    reference["channelId"], reference["conversation"]["id"]
                )
        except (ServiceUnavailable, TimeoutError) as error:
            log.warning(
                Event.MESSAGE_URL_NOT_LOOKED_UP, message=envelope.id, error=type(error).__name__
            )
            return envelope
        if envelope.created <= forgotten_at:
            return None
        if url in ("", reference["serviceUrl"]):
            return envelope
        return replace(envelope, conversation={**reference, "serviceUrl": url})

    async def _after_failure(self, envelope: Envelope, span: Span, error: Failure) -> None:
        span.failed(error)
        if isinstance(error, HostDown | AskedInVain):
            raise error  # the worker shall know of it, and put the message back
        if isinstance(error, ConversationGone | ConversationBlocked):
            await self._record(envelope, error)
        await self.redelivery.after_failure(envelope, error)

    async def _deliver(self, envelope: Envelope, sent: list[str]) -> None:
        reference = _conversation_reference(envelope)
        activity_of(envelope)  # which must be readable, for the bot is going to send it

        async def speak(turn: TurnContext) -> None:
            await self.bot.on_trigger(turn, envelope)

        try:
            async with self.gate.through(_host(envelope), envelope.key), within(DELIVERY_TIMEOUT):
                await self.adapter.continue_with(reference, speak, sent)
        except TimeoutError:
            raise ServiceUnavailable(
                f"on_trigger took longer than {DELIVERY_TIMEOUT} s, and had sent {len(sent)}"
            ) from None

    async def _record(
        self, envelope: Envelope, error: ConversationGone | ConversationBlocked
    ) -> None:
        reference = dict(envelope.conversation)
        try:
            if isinstance(error, ConversationGone):
                await self.conversations.forget_stale(reference)
            else:
                await self.conversations.mark_blocked(reference, str(error))
        except ServiceUnavailable as unavailable:
            log.warning(
                Event.CONVERSATION_NOT_RECORDED,
                message=envelope.id,
                error=type(error).__name__,
                reason=str(unavailable),
            )


def _host(envelope: Envelope) -> str:
    address = base_url(envelope.conversation["serviceUrl"])
    return "" if address is None else address.host


def _log_ending(envelope: Envelope, ending: Ending) -> None:
    match ending:
        case Ending(Status.OPEN, now=False):
            log.info(Event.MESSAGE_COPY_DROPPED, message=envelope.id)
        case Ending(Status.OPEN):
            pass  # said when it was put back, or given up
        case Ending(status, now):
            when = "now" if now else "before"
            log.info(Event.MESSAGE_ENDED, message=envelope.id, status=status.value, ended=when)


def _conversation_reference(envelope: Envelope) -> ConversationReference:
    try:
        return read(ConversationReference, dict(envelope.conversation))
    except Malformed as error:
        raise UndecodableMessage(error.rule, field=f"conversation.{error.field}") from error
