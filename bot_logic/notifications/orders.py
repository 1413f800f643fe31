"""Taking orders: a notification is stored once, and planned at once if it is due."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot_logic.addresses import ServiceUrls
from bot_logic.clock import Chance, Clock
from bot_logic.conversations.audiences import digest
from bot_logic.conversations.skips import Skips
from bot_logic.errors import BadRequest, ProactiveBotError, RetryableError
from bot_logic.notifications.content import Activity, AsSent, check_says_something, check_size
from bot_logic.notifications.notification import Notification, State
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.page import Recipient
from bot_logic.notifications.planner import MAX_DELAY, Planner, wake_up
from bot_logic.notifications.preview import preview
from bot_logic.notifications.store import KeyTaken, NotificationStore
from bot_logic.storage.protocols import Queue, RowConflict
from bot_logic.telemetry import Telemetry
from bot_logic.telemetry.log_events import Event, EventLog
from bot_logic.telemetry.names import TAKE, TAKEN

MAX_KEY: Final = 200  # characters of an idempotency key
TRIES: Final = 5  # to change a notification that others change, too

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be said, to whom and when.

    Attributes:
        to: the audience, as JSON.
        activity: what is sent, as JSON.
        at: Unix time, seconds.
        expires: Unix time, seconds.
        acknowledge: what stands on the button by which recipients confirm it; "" for no button.
    """

    to: Any
    activity: Mapping[str, Any]
    at: int
    expires: int
    acknowledge: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A notification that was taken.

    Attributes:
        id: which names it.
        lanes: the ids of the lanes that have something of it to send now.
    """

    id: str
    lanes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Report:
    """What a notification is at.

    Attributes:
        notification: itself.
        state: what it is at.
        counts: recipients by outcome; together they are the audience as far as it is planned.
        acknowledged: how many have confirmed it.
    """

    notification: Notification
    state: State
    counts: Counter[str]
    acknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Orders:
    """Takes, shows, cancels and repeats notifications."""

    store: NotificationStore
    planner: Planner
    skips: Skips
    queue: Queue
    clock: Clock
    chance: Chance
    as_sent: AsSent
    lifetime: int  # seconds after `at`, unless the order says otherwise
    telemetry: Telemetry
    service_urls: ServiceUrls

    async def take(self, request: Request, idempotency_key: str = "") -> Taken:
        """Store a notification, once for each idempotency key, and begin to plan it if it is due.

        Raises:
            as `store`.
        """
        notification = await self.store_once(request, idempotency_key)
        return Taken(notification.id, await self.begin(notification))

    async def store_once(self, request: Request, idempotency_key: str = "") -> Notification:
        """Store a notification, once for each idempotency key; whatever comes, it will be planned.

        Raises:
            BadRequest: 400 if the bot cannot send the activity, or may not send to a service URL,
                404 if nobody is known of whom it names, 409 if the key stands for another order
                or if more would get it than `at_most`.
            RetryableError: it is not taken; with the same key it can be tried again.
        """
        with self.telemetry.span(TAKE, {}):
            return await self._stored_once(request, idempotency_key)

    async def _stored_once(self, request: Request, idempotency_key: str) -> Notification:
        self._check_service_urls(request.to)
        self.checked(request.activity, request.acknowledge)
        notification = Notification(
            self.chance.new_id(),
            request.to,
            request.activity,
            request.at,
            request.expires,
            int(self.clock.now()),
            acknowledge=request.acknowledge,
            traceparent=self.telemetry.traceparent(),
        )
        if idempotency_key:
            notification = await self._known(notification, request, idempotency_key)
        if (await self.store.head(notification.id)) is not None:
            return notification  # the same order, once more
        await self._check_audience(notification)
        await self.insert(notification)
        return notification

    async def insert(self, notification: Notification) -> None:
        """Store a notification of which nothing is stored yet."""
        await self.store.insert(notification)
        self.telemetry.count(TAKEN, {})
        log.info(Event.NOTIFICATION_TAKEN, notification=notification.id)

    async def report(self, notification_id: str) -> Report | None:
        """Return what a notification is at, or None if there is none of this id."""
        head = await self.store.head(notification_id)
        if head is None:
            return None
        notification, now = head.notification, self.clock.now()
        counts = await self.store.counts(notification_id)
        still_open = counts[Outcome.OPEN]
        if still_open and (end := _end_of_open(notification, now)) is not None:
            del counts[Outcome.OPEN]
            counts[end] = still_open
        acknowledged = 0
        if notification.counts_receipts:
            acknowledged = await self.store.count_acknowledged(notification_id)
        return Report(notification, notification.state(now, still_open), counts, acknowledged)

    async def recipients(
        self, notification_id: str, *, after: str = ""
    ) -> AsyncIterator[tuple[str, list[Recipient]]]:
        """Yield the recipients of each page with what has become of them, and the page's key."""
        head = await self.store.head(notification_id)
        end = None if head is None else _end_of_open(head.notification, self.clock.now())
        asked = head is not None and head.notification.counts_receipts
        async for stored in self.store.pages(notification_id, after=after):
            page = stored.key.row
            times = await self.store.acknowledged(notification_id, page) if asked else {}
            yield page, [_as_told(each, end, times) for each in stored.page.recipients]

    async def cancel(self, notification_id: str) -> Report | None:
        """Cancel a notification: who has not got it within a second or two does not get it.

        Raises:
            BadRequest: 409, it has come to its end.
        """
        for _ in range(TRIES):
            head = await self.store.head(notification_id)
            report = await self.report(notification_id)
            if head is None or report is None:
                return None
            if report.state not in (State.SCHEDULED, State.SENDING):
                raise _in_state(report.state, "cancelled")
            try:
                await self.store.replace(head, head.notification.cancelled_at(self.clock.now()))
            except RowConflict:
                continue
            return await self.report(notification_id)
        raise BadRequest("it is being changed by others; try again", status=409, code="Conflict")

    async def retry(self, notification_id: str) -> Report | None:
        """Send once more to those that did not get it; the unknown stay unknown.

        Raises:
            BadRequest: 409, it has been cancelled, or it is too late, or nobody is left out.
        """
        report = await self.report(notification_id)
        if report is None:
            return None
        if report.notification.recalled:
            raise BadRequest(
                "it was recalled and cannot be sent again", status=409, code="WrongState"
            )
        if report.state not in (State.SENDING, State.DONE):
            raise _in_state(report.state, "sent again")
        lanes = set()
        async for stored in self.store.pages(notification_id):
            opened = stored.page.failures_opened()
            if opened.open > stored.page.open and not stored.page.is_leased(self.clock.now()):
                await self.planner.lanes.add(opened.lane, report.notification, 0)
                await self.store.write_page(stored, opened)
                lanes.add(opened.lane.id)
        if not lanes:
            raise BadRequest("nobody is to get it again", status=409, code="NothingToRetry")
        for lane in lanes:
            await self.queue.put(wake_up(lane=lane))
        return await self.report(notification_id)

    async def preview(self, request: Request) -> dict[str, Any]:
        """Return how many would get it, the first of them and what they would get; send nothing.

        Raises:
            BadRequest: 400, the bot cannot send the activity; 413, it is too large with its button.
        """
        self._check_service_urls(request.to)
        activity = self.checked(request.activity, request.acknowledge)
        notification = Notification(
            "", request.to, request.activity, request.at, request.expires, 0
        )
        seen = await preview(self.planner, self.skips, notification)
        return {
            "recipients": seen.recipients,
            "optedOut": seen.opted_out,
            "blocked": seen.blocked,
            "first": seen.first,
            "activity": dict(activity),
        }

    def checked(self, activity: Activity, acknowledge: str) -> Activity:
        """Return an activity as it is sent, if it can be.

        Raises:
            BadRequest: 400, the bot cannot send it; 413, it is too large with its button.
        """
        sent = self.as_sent(activity, acknowledge)
        check_says_something(activity)
        check_size(sent, field="activity")
        return sent

    def _check_service_urls(self, to: Any) -> None:
        several = isinstance(to, list)
        for number, each in enumerate(to if several else [to]):
            if "serviceUrl" in each and not self.service_urls.allow(each["serviceUrl"]):
                raise BadRequest(
                    "its host is not allowed; AllowedServiceUrlHosts may add it",
                    field=f"to[{number}].serviceUrl" if several else "to.serviceUrl",
                )

    async def _known(self, notification: Notification, request: Request, key: str) -> Notification:
        if len(key) > MAX_KEY:
            raise BadRequest(f"has {MAX_KEY} characters at most", field="Idempotency-Key")
        more = [request.acknowledge] if request.acknowledge else []
        content = json.dumps([request.to, request.activity, *more], sort_keys=True)
        try:
            reserved = await self.store.reserve(key, notification.id, content)
        except KeyTaken:
            raise BadRequest(
                "this Idempotency-Key stands for another notification",
                status=409,
                code="IdempotencyKeyReused",
            ) from None
        return replace(notification, id=reserved, key=digest(key))  # which may name somebody

    async def _check_audience(self, notification: Notification) -> None:
        if refused := await self.planner.too_many(notification):
            raise BadRequest(refused, status=409, code="TooManyRecipients", field="to.at_most")
        wanted: list[dict[str, Any]] = (
            notification.to if isinstance(notification.to, list) else [notification.to]
        )
        if not wanted[0].keys() & {"user", "conversation"}:
            return
        for each in wanted:
            if await self.planner.find(each) is not None:
                return
        raise BadRequest(
            "nobody is known by this id; GET /api/conversations lists who is",
            status=404,
            code="UnknownRecipient",
            field="to",
        )

    async def begin(self, notification: Notification) -> frozenset[str]:
        """Plan its first pages if it is due, or wake somebody when it is.

        If that fails, the timer does it.

        Returns:
            the ids of the lanes that have something to send now.
        """
        try:
            if notification.at <= self.clock.now():
                return frozenset(await self.planner.plan(notification.id, longest=0))
            delay = min(int(notification.at - self.clock.now()) + 1, MAX_DELAY)
            await self.queue.put(wake_up(plan=notification.id), delay=delay)
        except (RetryableError, ProactiveBotError) as error:
            log.warning(Event.NOTIFICATION_PUT_OFF, notification=notification.id, reason=str(error))
        return frozenset()


def _as_told(each: Recipient, end: Outcome | None, times: Mapping[str, int]) -> Recipient:
    """Return a recipient as it is reported: with what is derived, or stands in other rows."""
    outcome = end if end and each.outcome == Outcome.OPEN else each.outcome
    return replace(each, outcome=outcome, acknowledged=times.get(each.digits, 0) if times else 0)


def _end_of_open(notification: Notification, now: float) -> Outcome | None:
    """Return what has become of those that are still open; None if they may still get it."""
    if notification.cancelled or notification.recalled:
        return Outcome.CANCELLED
    return Outcome.EXPIRED if now >= notification.expires else None


def _in_state(state: State, what: str) -> BadRequest:
    return BadRequest(f"it is {state} and cannot be {what}", status=409, code="WrongState")
