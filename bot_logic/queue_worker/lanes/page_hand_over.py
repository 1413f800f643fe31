"""One page of a notification is handed to the bot, and it is seen how far that came."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, Self

from bot_logic.clock import Clock
from bot_logic.contract.envelope import TRIGGER_NAME
from bot_logic.contract.page_order import PageOrder
from bot_logic.contract.trigger_token import sign
from bot_logic.errors import ProactiveBotError
from bot_logic.notifications.page import Page
from bot_logic.notifications.store import NotificationStore, Work
from bot_logic.queue_worker.worker import Triggers
from bot_logic.secret import Secret
from bot_logic.telemetry import Telemetry
from bot_logic.telemetry.log_events import Event, EventLog
from bot_logic.telemetry.names import CHANNEL, NOTIFICATION, PAGES, POST_TRIGGER

SLICE: Final = 8.0  # seconds of sending that one trigger asks for; Direct Line waits 15 for the bot
LOOKS_EVERY: Final = 0.5  # seconds
MOST_LOOKS: Final = int((SLICE + 1) / LOOKS_EVERY)  # at a page after a trigger failed

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a page came.

    Attributes:
        is_left: whether it has recipients without an outcome.
        is_further: whether it has fewer of them than before.
        paused_until: Unix time, seconds, before which the channel does not want to be asked, or 0.
    """

    is_left: bool
    is_further: bool = True
    paused_until: float = 0.0

    @classmethod
    def between(cls, before: Page, after: Page | None) -> Self:
        """Compare a page with what became of it; None if it is not there any more."""
        if after is None or not after.open:
            return cls(is_left=False)
        further = after.open < before.open
        return cls(is_left=True, is_further=further, paused_until=after.paused_until)


@dataclass(frozen=True, slots=True)
class PageHandOver:
    """Hands pages to the bot by triggers that say which page, and how fast."""

    triggers: Triggers
    store: NotificationStore
    clock: Clock
    signing_keys: tuple[Secret, ...]
    telemetry: Telemetry

    async def send(self, work: Work, page: str, rate: float, cause: str) -> Progress:
        """Let the bot send a page for some seconds, at `rate` messages a second; 0 is no limit.

        Returning means that nobody begins a message of this page any more.

        Args:
            work: the notification.
            page: the row key.
            rate: what the lane leaves for it.
            cause: the traceparent of the call that asked for the notification, or empty.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        name = work.notification
        before = await self.store.page(name, page)
        if before is None or not before.page.open:
            return Progress(is_left=False)
        if not before.page.is_leased(self.clock.now()):
            answered = await self._hand_to_bot(work, page, rate, cause)
            if rate and not answered:
                await self._until_it_takes_no_pace(name, page)
        after = await self.store.page(name, page)
        return Progress.between(before.page, after.page if after else None)

    async def _hand_to_bot(self, work: Work, page: str, rate: float, cause: str) -> bool:
        """Hand a page to the bot; tell whether it has answered that it is done with it."""
        answered = True
        name, telemetry = work.notification, self.telemetry
        with telemetry.span(POST_TRIGGER, {NOTIFICATION: name}, cause=cause) as span:
            try:
                await self._post(PageOrder(name, page, rate, SLICE, telemetry.traceparent()))
            except ProactiveBotError as error:  # the page says how far it came
                answered = False
                span.failed(error)
                log.warning(Event.PAGE_FAILED, notification=name, reason=str(error))
        telemetry.count(PAGES, {CHANNEL: work.channel})
        return answered

    async def _post(self, order: PageOrder) -> None:
        def trigger(conversation_id: str) -> dict[str, Any]:
            value = sign(order, conversation_id, self.signing_keys, self.clock.now())
            return {"type": "event", "name": TRIGGER_NAME, "value": value}

        await self.triggers.post(trigger)

    async def _until_it_takes_no_pace(self, name: str, page: str) -> None:
        """Wait while the bot, which was late or was not heard any more, goes on to send a page."""
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(LOOKS_EVERY)  # first, as it may be about to begin
            stored, now = await self.store.page(name, page), self.clock.now()
            if stored is None or not stored.page.is_leased(now) or stored.page.is_draining(now):
                return
