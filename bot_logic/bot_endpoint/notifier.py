"""The bot's way to tell others: a notification goes to whomever it names, now or later."""

import json
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from botbuilder.schema import Activity

from bot_logic.bot_endpoint.moments import Moment, as_in_json
from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.clock import Clock
from bot_logic.deadline import within
from bot_logic.errors import BadRequest, MessageNotInserted
from bot_logic.notifications.changes import Changes
from bot_logic.notifications.orders import Orders, Taken

STORE_TIMEOUT: Final = 8  # seconds; it looks who is meant, and writes some rows
BEGIN_TIMEOUT: Final = 2  # seconds; else the timer begins with it
TIME_TO_SAY_SO: Final = 1  # seconds of a turn that are left for telling the user


class Notifier:
    """Sends, recalls and edits notifications, for bots, timers and webhooks."""

    def __init__(self, orders: Orders, changes: Changes, clock: Clock) -> None:
        self._orders = orders
        self._changes = changes
        self._clock = clock

    def now(self) -> datetime:
        """Return what time it is, in UTC; in a test of your bot that of its clock."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    async def send(
        self,
        to: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        what: str | Activity,
        *,
        at: Moment | None = None,
        expires: Moment | None = None,
        key: str = "",
        acknowledge: bool | str = False,
    ) -> str:
        """Notify a person, a conversation, a topic, a channel or everyone; return the id.

        Args:
            to: who, as in `POST /api/notifications`: docs/notifications.md.
            what: a text, or an activity, such as a card.
            at: a `datetime` with its time zone or a time as text with its offset, or a `timedelta`
                or seconds from now; by default now.
            expires: such a time, or so long after `at`, from which on nobody gets it any more.
            key: the same key with the same content sends once.
            acknowledge: whether there is a button by which each confirms it; or what stands on it.

        Raises:
            BadRequest: it cannot be taken; its `field` is at fault.
            RetryableError: it was not taken; with the same key it can be tried again.
        """
        times = {"at": at, "expires": expires}
        times = {name: as_in_json(moment) for name, moment in times.items() if moment is not None}
        order = {"to": to, **_content(what), **times, "acknowledge": acknowledge}
        body = json.dumps(order).encode()
        # Only a process that notifies pays for the import.
        from bot_logic.notifications.request import parse  # noqa: PLC0415

        try:
            async with within(STORE_TIMEOUT, leaving=TIME_TO_SAY_SO):
                request = parse(body, self._clock.now(), self._orders.lifetime)
                notification = await self._orders.store_once(request, key)
        except TimeoutError:
            raise MessageNotInserted("no time was left in this turn") from None
        with suppress(TimeoutError):  # it is stored, and so will be sent: nobody may order it again
            async with within(BEGIN_TIMEOUT, leaving=TIME_TO_SAY_SO):
                await self._orders.begin(notification)
        return notification.id

    async def recall(self, notification_id: str) -> str:
        """Delete what a notification has sent, and send no more of it; return the recall's id.

        Raises:
            BadRequest: 404, there is no such notification; 409, it sends nothing itself.
            RetryableError: it was not taken, and can be asked for again.
        """
        return await _in_time(self._changes.recall(notification_id))

    async def edit(self, notification_id: str, what: str | Activity) -> str:
        """Replace what a notification has sent; return the edit's id.

        Raises:
            BadRequest: 404, there is no such notification; 409, it has not been sent yet, or was
                recalled; 400 or 413, its `field` is at fault.
            RetryableError: it was not taken, and can be asked for again.
        """
        from bot_logic.notifications.request import parse_content  # noqa: PLC0415 - as in `send`

        activity = parse_content(json.dumps(_content(what)).encode())
        return await _in_time(self._changes.edit(notification_id, activity))


def _content(what: str | Activity) -> dict[str, Any]:
    return {"text": what} if isinstance(what, str) else {"activity": write(what)}


async def _in_time(taking: Awaitable[Taken | None]) -> str:
    try:
        async with within(STORE_TIMEOUT, leaving=TIME_TO_SAY_SO):
            taken = await taking
    except TimeoutError:
        raise MessageNotInserted("no time was left in this turn") from None
    if taken is None:
        raise BadRequest("there is no such notification", status=404, code="NotFound")
    return taken.id
