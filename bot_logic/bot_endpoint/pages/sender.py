"""Takes the order to send a page of a notification: claims it, and does what it is for."""

from contextlib import suppress
from dataclasses import dataclass

from botbuilder.schema import Activity
from botframework.connector.auth import ConnectorFactory

from bot_logic.bot_endpoint.got_it import GotIt
from bot_logic.bot_endpoint.pages.beginnings import Beginnings
from bot_logic.bot_endpoint.pages.deeds import Deed, Edit, Recall, Send, Ways, Words
from bot_logic.bot_endpoint.pages.metrics import PageMetrics
from bot_logic.bot_endpoint.pages.run import PageRun
from bot_logic.bot_endpoint.sdk.model_json import Malformed, read
from bot_logic.clock import Clock
from bot_logic.contract.page_order import PageOrder
from bot_logic.conversations.audiences import Audiences
from bot_logic.conversations.references import Conversations
from bot_logic.notifications.notification import Notification, Verb
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.store import NotificationStore, StoredPage
from bot_logic.storage.protocols import RowConflict
from bot_logic.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class PageSender:
    """Sends pages."""

    store: NotificationStore
    audiences: Audiences
    conversations: Conversations
    channels: ConnectorFactory
    beginnings: Beginnings
    clock: Clock
    max_attempts: int
    telemetry: Telemetry

    async def send(self, order: PageOrder) -> None:
        """Do what is open of a page, for as long as the order says, and note how it went.

        A page that somebody else is sending, or of which nothing may be sent, is left alone.

        Raises:
            ServiceUnavailable: a table cannot be reached; what could not be noted is done again.
        """
        if await self._going_on(order) is None:
            return
        stored = await self.store.page(order.notification, order.page)
        if stored is None or (claimed := await self._claimed(stored)) is None:
            return
        # Once more: whoever ends or recalls it waits for the pages that are claimed by then.
        notification = await self._going_on(order)
        if notification is None:
            with suppress(RowConflict):
                await self.store.write_page(claimed, stored.page)
            return
        await self._run(order, notification, claimed)

    async def _going_on(self, order: PageOrder) -> Notification | None:
        """Return the notification, unless nothing of it may be sent any more."""
        head = await self.store.head(order.notification)
        if head is None or head.notification.has_ended(self.clock.now()):
            return None
        return head.notification

    async def _claimed(self, stored: StoredPage) -> StoredPage | None:
        """Claim a page; None if it is somebody else's, or nobody on it is without an outcome."""
        now = self.clock.now()
        if stored.page.is_leased(now) or not stored.page.open:
            return None
        try:
            claimed = await self.store.write_page(stored, stored.page.claimed(now))
        except RowConflict:
            return None  # somebody else was faster
        if claimed.page.open:
            return claimed
        self._metrics(claimed).came_to(Outcome.GIVEN_UP, stored.page.open)
        return None

    def _metrics(self, stored: StoredPage) -> PageMetrics:
        return PageMetrics(self.telemetry, stored.page.lane.channel)

    async def _run(self, order: PageOrder, notification: Notification, claimed: StoredPage) -> None:
        try:
            deed = self._deed(notification, claimed.key.row)
        except Malformed as error:  # orders are checked; this one is of a version that took more
            refused = claimed.page.all_open(Outcome.REFUSED, f"activity: {error}")
            await self.store.write_page(claimed, refused)
            self._metrics(claimed).came_to(Outcome.REFUSED, claimed.page.open)
            return
        run = PageRun(
            order,
            notification,
            claimed,
            deed,
            store=self.store,
            conversations=self.conversations,
            clock=self.clock,
            metrics=self._metrics(claimed),
            max_attempts=self.max_attempts,
        )
        await run.run()

    def _deed(self, notification: Notification, page: str) -> Deed:
        """Return what is done to each recipient.

        Raises:
            Malformed: the activity cannot be read.
        """
        ways = Ways(notification, self.audiences, self.channels, self.beginnings)
        if notification.verb is Verb.RECALL:
            return Recall(ways)
        activity: Activity = read(Activity, dict(notification.activity))
        got_it = None
        if notification.acknowledge:
            got_it = GotIt(notification.acknowledge, notification.of or notification.id, page)
        words = Words(activity, got_it)
        return Edit(ways, words) if notification.verb is Verb.EDIT else Send(ways, words)
