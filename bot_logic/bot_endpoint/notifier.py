"""The bot's way to tell others: a notification goes to whomever it names, now or later."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from botbuilder.schema import Activity

from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.clock import Clock
from bot_logic.deadline import within
from bot_logic.errors import MessageNotInserted
from bot_logic.notifications.orders import Orders

STORE_TIMEOUT: Final = 8  # seconds; it looks who is meant, and writes some rows
BEGIN_TIMEOUT: Final = 2  # seconds; else the timer begins with it
TIME_TO_SAY_SO: Final = 1  # seconds of a turn that are left for telling the user


class Notifier:
    """Sends notifications, for bots, timers and webhooks."""

    def __init__(self, orders: Orders, clock: Clock) -> None:
        self._orders = orders
        self._clock = clock

    async def send(
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
        times = {name: moment for name, moment in times.items() if moment is not None}
        body = json.dumps({"to": to, **content, **times}).encode()
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
