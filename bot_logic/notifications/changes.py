"""Recalls and edits: notifications of their own, about what another one has sent."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bot_logic.errors import BadRequest
from bot_logic.notifications.notification import Notification, State, Verb
from bot_logic.notifications.orders import TRIES, Orders, Taken
from bot_logic.notifications.store import Head
from bot_logic.storage.protocols import RowConflict
from bot_logic.telemetry.names import TAKE

_HAS_BEEN_SENT = (State.DONE, State.CANCELLED, State.EXPIRED)
_GOES_ON = (State.SCHEDULED, State.SENDING, State.DONE)


@dataclass(frozen=True, slots=True)
class Changes:
    """Takes recalls and edits.

    First the original says which is its newest change; then an earlier one is stopped, and the new
    one stored: so of two that come at once, one takes the other's place.
    """

    orders: Orders

    async def recall(self, notification_id: str) -> Taken | None:
        """Delete what a notification has sent; what it has not sent yet, it does not send.

        A second recall is the first one, unless that was cancelled or has expired: then it goes on
        with those that the first has not reached.

        Raises:
            BadRequest: 409, it sends nothing itself.
            RetryableError: it was not taken, and can be asked for again.
        """
        with self.orders.telemetry.span(TAKE, {}):
            return await self._recall(notification_id)

    async def _recall(self, notification_id: str) -> Taken | None:
        for _ in range(TRIES):
            head = await self.orders.store.head(notification_id)
            if head is None:
                return None
            original = head.notification
            _check_sends(original, "recalled")
            if original.recalled and await self._goes_on(original.changed_by):
                return Taken(original.changed_by)
            recall = self._change(original, Verb.RECALL, {})
            recalled = original.recalled or recall.created
            if taken := await self._taken(head, replace(original, recalled=recalled), recall):
                return taken
        raise _conflict()

    async def edit(self, notification_id: str, activity: Mapping[str, Any]) -> Taken | None:
        """Replace what a notification has sent; an edit that is under way is cancelled.

        Raises:
            BadRequest: 400, the bot cannot send the activity; 413, it is too large; 409, it has not
                been sent yet, or was recalled, or sends nothing itself.
            RetryableError: it was not taken, and can be asked for again.
        """
        self.orders.checked(activity, "")
        with self.orders.telemetry.span(TAKE, {}):
            return await self._edit(notification_id, activity)

    async def _edit(self, notification_id: str, activity: Mapping[str, Any]) -> Taken | None:
        for _ in range(TRIES):
            head = await self.orders.store.head(notification_id)
            report = await self.orders.report(notification_id)
            if head is None or report is None:
                return None
            original = head.notification
            _check_sends(original, "edited")
            _check_was_sent(original, report.state)
            self.orders.checked(activity, original.acknowledge)
            edit = self._change(original, Verb.EDIT, activity)
            if taken := await self._taken(head, replace(original, activity=activity), edit):
                return taken
        raise _conflict()

    def _change(
        self, original: Notification, verb: Verb, activity: Mapping[str, Any]
    ) -> Notification:
        now = int(self.orders.clock.now())
        return Notification(
            self.orders.chance.new_id(),
            original.to,
            activity,
            at=now,
            expires=now + self.orders.lifetime,
            created=now,
            verb=verb,
            acknowledge=original.acknowledge if verb is Verb.EDIT else "",
            of=original.id,
            after=original.changed_by,
            traceparent=self.orders.telemetry.traceparent(),
        )

    async def _taken(
        self, head: Head, original: Notification, change: Notification
    ) -> Taken | None:
        """Store a change; None if somebody else has changed the original."""
        try:
            await self.orders.store.replace(head, replace(original, changed_by=change.id))
        except RowConflict:
            return None
        if change.after:
            with suppress(BadRequest):  # it has come to its end
                await self.orders.cancel(change.after)
        await self.orders.insert(change)
        return Taken(change.id, await self.orders.begin(change))

    async def _goes_on(self, recall_id: str) -> bool:
        report = await self.orders.report(recall_id)
        return report is not None and report.state in _GOES_ON


def _check_sends(original: Notification, what: str) -> None:
    if original.verb is not Verb.SEND:
        kind = "a recall" if original.verb is Verb.RECALL else "an edit"
        raise _refused(f"it is {kind} of {original.of}, and only a message can be {what}")


def _check_was_sent(original: Notification, state: State) -> None:
    if original.recalled:
        raise _refused("it was recalled and cannot be edited")
    if state not in _HAS_BEEN_SENT:
        raise _refused(f"it is {state}: edit it when all is sent, or recall it and send another")


def _refused(message: str) -> BadRequest:
    return BadRequest(message, status=409, code="WrongState")


def _conflict() -> BadRequest:
    return BadRequest("it is being changed by others; try again", status=409, code="Conflict")
