"""The notifications API: JSON in, JSON out. The function key, which Azure asks for, guards it.

docs/notifications.md describes each call.
"""

import asyncio
import csv
import io
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import azure.functions as func

from bot_logic.addresses import is_id
from bot_logic.clock import Clock
from bot_logic.conversations import Conversation, Conversations
from bot_logic.conversations.audiences import Audiences, Member, is_group
from bot_logic.conversations.listing import listed
from bot_logic.errors import BadRequest, RetryableError
from bot_logic.notifications.orders import Orders, Report
from bot_logic.notifications.outcomes import FAILURES, Outcome
from bot_logic.notifications.page import Recipient
from bot_logic.notifications.request import check_topic, parse
from bot_logic.telemetry.log_events import Event, EventLog

RunLane = Callable[[str], Coroutine[Any, Any, object]]
HURRY: Final = 1.0  # seconds that a caller waits for the first messages
OPENAPI: Final = Path(__file__).with_name("notifications_openapi.json")
NAMES: Final = ("channel", "conversation", "user")  # of a recipient, as the caller knows it
MOST_LISTED: Final = 100  # notifications in one answer
JSON_TYPE: Final = "application/json"

_ID: Final = re.compile(r"[0-9a-f]{32}")
_AFTER: Final = re.compile(r"[0-9a-z-]+(/[0-9a-z-]+)?")  # keys of rows; they are short
MAX_AFTER: Final = 200  # characters

log = EventLog(__name__)

Answer = tuple[int, Any]
_RUNNING: set[asyncio.Task[object]] = set()  # else nobody would hold them, and they might vanish


@dataclass(frozen=True, slots=True)
class NotificationsApi:
    """Answers the requests of other programs."""

    orders: Orders
    conversations: Conversations
    audiences: Audiences
    clock: Clock
    run_lane: RunLane

    async def post(self, request: func.HttpRequest) -> func.HttpResponse:
        """Take a notification."""
        return await _answered(self._post(request))

    async def get(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say what a notification is at, or list the newest."""
        return await _answered(self._get(request))

    async def recipients(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say what has become of each recipient, as JSON or CSV."""
        try:
            return await self._recipients(request)
        except (BadRequest, RetryableError) as error:
            return _of_error(error)

    async def delete(self, request: func.HttpRequest) -> func.HttpResponse:
        """Cancel a notification."""
        return await _answered(self._delete(request))

    def describe(self) -> func.HttpResponse:
        """Answer with the OpenAPI document of all this: https://spec.openapis.org/oas/v3.1.0."""
        return func.HttpResponse(OPENAPI.read_bytes(), mimetype=JSON_TYPE)

    async def list_conversations(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say whom the bot can tell something."""
        return await _answered(self._list_conversations(request))

    async def retry(self, request: func.HttpRequest) -> func.HttpResponse:
        """Send once more to those that did not get a notification."""
        return await _answered(self._retry(request))

    async def preview(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say who would get a notification; send nothing."""
        return await _answered(self._preview(request))

    async def topic(self, request: func.HttpRequest) -> func.HttpResponse:
        """Let a conversation subscribe to a topic (PUT), or unsubscribe (DELETE)."""
        return await _answered(self._topic(request))

    async def _post(self, request: func.HttpRequest) -> Answer:
        _check_json(request.headers)
        asked = parse(request.get_body(), self.clock.now(), self.orders.lifetime)
        key = request.headers.get("Idempotency-Key", "")
        taken = await self.orders.take(asked, key)
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

    async def _get(self, request: func.HttpRequest) -> Answer:
        notification_id = request.route_params.get("id", "")
        if notification_id:
            return 200, _document(_found(await self.orders.report(_checked(notification_id))))
        after = _after(request)
        listed, last = [], ""
        async for row, each in self.orders.store.latest(after=after):
            report = await self.orders.report(each)
            if report is not None:
                listed.append(_document(report))
            last = row
            if len(listed) == MOST_LISTED:
                break
        more = {"after": last} if len(listed) == MOST_LISTED else {}
        return 200, {"notifications": listed, **more}

    async def _delete(self, request: func.HttpRequest) -> Answer:
        notification_id = _checked(request.route_params.get("id", ""))
        return 200, _document(_found(await self.orders.cancel(notification_id)))

    async def _retry(self, request: func.HttpRequest) -> Answer:
        _check_json(request.headers)
        notification_id = _checked(request.route_params.get("id", ""))
        return 202, _document(_found(await self.orders.retry(notification_id)))

    async def _preview(self, request: func.HttpRequest) -> Answer:
        _check_json(request.headers)
        asked = parse(request.get_body(), self.clock.now(), self.orders.lifetime)
        return 200, await self.orders.preview(asked)

    async def _topic(self, request: func.HttpRequest) -> Answer:
        name = request.route_params.get("name", "")
        check_topic(name, "name")
        found = await self.audiences.conversation(request.route_params.get("id", ""))
        if found is None:
            raise BadRequest("there is no such conversation", status=404, code="NotFound")
        change = (
            self.conversations.subscribe
            if request.method == "PUT"
            else self.conversations.unsubscribe
        )
        await change(dict(found.reference), name)
        return 204, None

    async def _list_conversations(self, request: func.HttpRequest) -> Answer:
        asked = {name: _filter(request, name) for name in ("channel", "topic", "user")}
        if sum(map(bool, asked.values())) > 1:
            raise BadRequest(
                "goes with neither channel nor topic, nor these together", field="user"
            )
        page = await listed(
            self.conversations,
            channel=asked["channel"],
            about=asked["topic"],
            user=asked["user"],
            after=_after(request),
        )
        more = {"after": page.after} if page.after else {}
        return 200, {
            "conversations": [_of_conversation(each) for each in page.conversations],
            **more,
        }

    async def _recipients(self, request: func.HttpRequest) -> func.HttpResponse:
        notification_id = _checked(request.route_params.get("id", ""))
        _found(await self.orders.report(notification_id))
        wanted = _outcomes(request.params.get("state", ""))
        after = _after(request)
        pages = self.orders.recipients(notification_id, after=after)
        last, found, members = "", list[Recipient](), dict[str, Member]()
        async for row, recipients in pages:
            listed = [each for each in recipients if each.outcome in wanted]
            known = [each.key for each in listed if each.outcome != Outcome.UNKNOWN]
            members |= await self.orders.planner.audiences.behind(known)
            found += listed
            last = row
            if len(found) >= MOST_LISTED * 10:
                break
        else:
            last = ""
        if request.params.get("format") == "csv":
            return func.HttpResponse(_csv(found, members), mimetype="text/csv")
        more = {"after": last} if last else {}
        return _json(200, {"recipients": [_of_recipient(each, members) for each in found], **more})


async def _answered(work: Awaitable[Answer]) -> func.HttpResponse:
    try:
        return _json(*await work)
    except (BadRequest, RetryableError) as error:
        return _of_error(error)


def _of_error(error: BadRequest | RetryableError) -> func.HttpResponse:
    if isinstance(error, BadRequest):
        body = {"code": error.code, "message": str(error)}
        body |= {"field": error.field} if error.field else {}
        return _json(error.status, {"error": body})
    log.warning(Event.NOTIFICATION_REQUEST_FAILED, reason=str(error))
    return _json(503, {"error": {"code": "ServiceUnavailable", "message": str(error)}})


def _json(status: int, body: Any) -> func.HttpResponse:
    if body is None:
        return func.HttpResponse(status_code=status)
    return func.HttpResponse(
        json.dumps(body),
        status_code=status,
        mimetype=JSON_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def _check_json(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site can post without being asked first: forms and texts.

    https://fetch.spec.whatwg.org/#simple-header
    """
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != JSON_TYPE:
        raise BadRequest(
            f"the content type must be {JSON_TYPE}", status=415, code="UnsupportedMediaType"
        )


def _after(request: func.HttpRequest) -> str:
    after = str(request.params.get("after", ""))
    if after and not (len(after) <= MAX_AFTER and _AFTER.fullmatch(after)):
        raise BadRequest("must be the `after` of an answer", field="after")
    return after


def _filter(request: func.HttpRequest, name: str) -> str:
    """Return what a list is to be of, or "" for all; what is left empty by mistake is not all."""
    value = request.params.get(name)
    if value is not None and not is_id(value):
        raise BadRequest("must be printable, not empty and not endless", field=name)
    return value or ""


def _checked(notification_id: str) -> str:
    if not _ID.fullmatch(notification_id):
        raise BadRequest("there is no such notification", status=404, code="NotFound")
    return notification_id


def _found(report: Report | None) -> Report:
    if report is None:
        raise BadRequest("there is no such notification", status=404, code="NotFound")
    return report


def _outcomes(name: str) -> frozenset[Outcome]:
    if not name:
        return frozenset(Outcome)
    if name == "failed":
        return FAILURES
    try:
        return frozenset({Outcome(name)})
    except ValueError:
        names = ", ".join(["failed", *Outcome])
        raise BadRequest(f"must be one of {names}", field="state") from None


def _document(report: Report) -> dict[str, Any]:
    notification = report.notification
    return {
        "id": notification.id,
        "state": report.state.value,
        "to": notification.to,
        "counts": {name: count for name, count in sorted(report.counts.items()) if count},
        "recipients": sum(report.counts.values()),
        "planned": notification.planned,
        "created": _iso(notification.created),
        "at": _iso(notification.at),
        "expires": _iso(notification.expires),
        **({"cancelled": _iso(notification.cancelled)} if notification.cancelled else {}),
        **({"reason": notification.refused} if notification.refused else {}),
    }


def _of_recipient(recipient: Recipient, members: Mapping[str, Member]) -> dict[str, Any]:
    name = "activityId" if recipient.outcome == Outcome.SENT else "reason"
    detail = {name: recipient.detail} if recipient.detail else {}
    attempts = {"attempts": recipient.attempts} if recipient.attempts else {}
    names = members[recipient.key].names if recipient.key in members else {}
    state = recipient.outcome.value
    return {"recipient": recipient.key, **names, "state": state, **detail, **attempts}


def _of_conversation(known: Conversation) -> dict[str, Any]:
    conversation, user = known.reference["conversation"], known.reference.get("user") or {}
    optional = {"user": user.get("id"), "tenant": conversation.get("tenantId")}
    blocked = known.blocked
    return {
        "channel": known.reference["channelId"],
        "conversation": conversation["id"],
        **{name: value for name, value in optional.items() if value},
        "group": is_group(known.reference),
        "topics": sorted(known.topics),
        **(
            {"blocked": {"reason": blocked.reason, "since": _iso(blocked.since)}} if blocked else {}
        ),
    }


def _csv(recipients: list[Recipient], members: Mapping[str, Member]) -> str:
    """Write a table that a spreadsheet opens, and in which it takes no text for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["recipient", *NAMES, "state", "detail", "attempts"])
    for each in recipients:
        names = members[each.key].names if each.key in members else {}
        cells = [each.key, *(names.get(name, "") for name in NAMES), each.outcome, each.detail]
        writer.writerow([*map(_no_formula, cells), each.attempts])
    return text.getvalue()


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
