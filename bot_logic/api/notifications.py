"""Calls about notifications: ask for one, see what has become of it, stop it, try again."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import azure.functions as func

from bot_logic.api.answers import (
    Answer,
    after_of,
    answered,
    check_json,
    check_query,
    error_answer,
    link_to_more,
)
from bot_logic.api.recipients import format_of, some_of
from bot_logic.clock import Clock, iso
from bot_logic.conversations.audiences import Audiences
from bot_logic.errors import BadRequest, RetryableError
from bot_logic.notifications.changes import Changes
from bot_logic.notifications.orders import Orders, Report, Taken
from bot_logic.notifications.request import parse, parse_content, parse_nothing

RunLane = Callable[[str], Coroutine[Any, Any, object]]
HURRY: Final = 1.0  # seconds that a caller waits for the first messages
MOST_LISTED: Final = 100  # notifications in one answer
MAX_BEGINNING: Final = 100  # characters of what is said that a report has

_Found = TypeVar("_Found")

_ID: Final = re.compile(r"[0-9a-f]{32}")
_RUNNING: set[asyncio.Task[object]] = set()  # else nobody would hold them, and they might vanish


@dataclass(frozen=True, slots=True)
class NotificationsApi:
    """Answers calls about notifications."""

    orders: Orders
    changes: Changes
    audiences: Audiences
    clock: Clock
    run_lane: RunLane

    async def post(self, request: func.HttpRequest) -> func.HttpResponse:
        """Take a notification."""
        return await answered(self._post(request))

    async def list_all(self, request: func.HttpRequest) -> func.HttpResponse:
        """List the newest notifications."""
        return await answered(self._list_all(request))

    async def show(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say what a notification is at."""
        return await answered(self._show(request))

    async def recipients(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say what has become of each recipient, as JSON or CSV."""
        try:
            return await self._recipients(request)
        except (BadRequest, RetryableError) as error:
            return error_answer(error)

    async def cancel(self, request: func.HttpRequest) -> func.HttpResponse:
        """Cancel a notification."""
        return await answered(self._cancel(request))

    async def retry(self, request: func.HttpRequest) -> func.HttpResponse:
        """Send once more to those that did not get a notification."""
        return await answered(self._retry(request))

    async def recall(self, request: func.HttpRequest) -> func.HttpResponse:
        """Delete what a notification has sent."""
        return await answered(self._recall(request))

    async def edit(self, request: func.HttpRequest) -> func.HttpResponse:
        """Replace what a notification has sent."""
        return await answered(self._edit(request))

    async def preview(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say who would get a notification; send nothing."""
        return await answered(self._preview(request))

    async def _post(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        check_json(request.headers)
        asked = parse(request.get_body(), self.clock.now(), self.orders.lifetime)
        key = request.headers.get("Idempotency-Key", "")
        return await self._accepted(await self.orders.take(asked, key))

    async def _recall(self, request: func.HttpRequest) -> Answer:
        notification_id = _id_of(request)
        check_query(request)
        check_json(request.headers)
        parse_nothing(request.get_body())
        return await self._accepted(_found(await self.changes.recall(notification_id)))

    async def _edit(self, request: func.HttpRequest) -> Answer:
        notification_id = _id_of(request)
        check_query(request)
        check_json(request.headers)
        activity = parse_content(request.get_body())
        return await self._accepted(_found(await self.changes.edit(notification_id, activity)))

    async def _accepted(self, taken: Taken) -> Answer:
        if len(taken.lanes) == 1:
            await self._hurry(*taken.lanes)
        return 202, {"id": taken.id, "statusUrl": f"/api/notifications/{taken.id}"}

    async def _hurry(self, lane_id: str) -> None:
        """Begin to send at once: an idle queue is looked at every two seconds only.

        Whatever becomes of this, the lane was woken; and it is not waited for for long.
        """
        running = asyncio.create_task(self.run_lane(lane_id))
        _RUNNING.add(running)
        running.add_done_callback(_RUNNING.discard)
        running.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait({running}, timeout=HURRY)

    async def _show(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        return 200, _document(_found(await self.orders.report(_id_of(request))))

    async def _list_all(self, request: func.HttpRequest) -> Answer:
        check_query(request, "after")
        listed, last = [], ""
        async for row, each in self.orders.store.latest(after=after_of(request)):
            report = await self.orders.report(each)
            if report is not None:
                listed.append(_document(report))
            last = row
            if len(listed) == MOST_LISTED:
                break
        more = {"after": last} if len(listed) == MOST_LISTED else {}
        return 200, {"notifications": listed, **more}

    async def _cancel(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        return 200, _document(_found(await self.orders.cancel(_id_of(request))))

    async def _retry(self, request: func.HttpRequest) -> Answer:
        notification_id = _id_of(request)
        check_query(request)
        check_json(request.headers)
        parse_nothing(request.get_body())
        return 202, _document(_found(await self.orders.retry(notification_id)))

    async def _preview(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        check_json(request.headers)
        asked = parse(request.get_body(), self.clock.now(), self.orders.lifetime)
        return 200, await self.orders.preview(asked)

    async def _recipients(self, request: func.HttpRequest) -> func.HttpResponse:
        check_query(request, "after", "state", "format")
        notification_id, answer_with = _id_of(request), format_of(request)
        _found(await self.orders.report(notification_id))
        wanted, after = request.params.get("state"), after_of(request)
        some = await some_of(self.orders, self.audiences, notification_id, wanted, after)
        answer = answer_with(some)
        if some.after:
            answer.headers["Link"] = link_to_more(request, some.after)
        return answer


def _id_of(request: func.HttpRequest) -> str:
    notification_id = request.route_params.get("id", "")
    if not _ID.fullmatch(notification_id):
        raise _unknown()
    return str(notification_id)


def _found(what: _Found | None) -> _Found:
    if what is None:
        raise _unknown()
    return what


def _unknown() -> BadRequest:
    return BadRequest("there is no such notification", status=404, code="NotFound")


def _document(report: Report) -> dict[str, Any]:
    notification = report.notification
    return {
        "id": notification.id,
        "verb": notification.verb.value,
        **({"of": notification.of} if notification.of else {}),
        "state": report.state.value,
        "to": notification.to,
        **_beginning(notification.activity),
        "counts": {name: count for name, count in sorted(report.counts.items()) if count},
        "recipients": sum(report.counts.values()),
        "planned": notification.planned,
        "created": iso(notification.created),
        "at": iso(notification.at),
        "expires": iso(notification.expires),
        **({"cancelled": iso(notification.cancelled)} if notification.cancelled else {}),
        **({"recalled": iso(notification.recalled)} if notification.recalled else {}),
        **({"changedBy": notification.changed_by} if notification.changed_by else {}),
        **({"acknowledged": report.acknowledged} if notification.counts_receipts else {}),
        **({"reason": notification.refused} if notification.refused else {}),
    }


def _beginning(activity: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells one notification from another in a list: how what is said begins."""
    said = activity.get("text") or activity.get("summary")
    return {"text": said[:MAX_BEGINNING]} if isinstance(said, str) else {}
