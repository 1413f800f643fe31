"""The recipients of a notification with what has become of each: a list, or a table."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func

from bot_logic.api.answers import json_answer
from bot_logic.clock import iso
from bot_logic.conversations.audiences import Audiences, Member
from bot_logic.errors import BadRequest
from bot_logic.notifications.first_contact import behind
from bot_logic.notifications.orders import Orders
from bot_logic.notifications.outcomes import FAILURES, Outcome
from bot_logic.notifications.page import Recipient

NAMES: Final = ("channel", "conversation", "user")  # of a recipient, as the caller knows it
ENOUGH: Final = 1000  # recipients of one answer; it ends with a page


@dataclass(frozen=True, slots=True)
class Some:
    """Some recipients, who is behind them, and where the next ones begin ("" if nowhere).

    Attributes:
        begin: whether these are the first ones.
    """

    recipients: list[Recipient]
    members: Mapping[str, Member]
    after: str
    begin: bool


async def some_of(
    orders: Orders, audiences: Audiences, notification_id: str, wanted: str | None, after: str
) -> Some:
    """Return recipients of a notification in the order of its pages.

    Args:
        orders: where it stands.
        audiences: says who is behind a recipient.
        notification_id: which.
        wanted: an outcome, "failed", or None for all.
        after: where the answer before has ended.

    Raises:
        BadRequest: 400, there is no such outcome.
        ServiceUnavailable: a table cannot be reached.
    """
    outcomes = _outcomes(wanted)
    found, members = list[Recipient](), dict[str, Member]()
    head = await orders.store.head(notification_id)
    async for row, recipients in orders.recipients(notification_id, after=after):
        listed = [each for each in recipients if each.outcome in outcomes]
        known = [each.key for each in listed if each.outcome != Outcome.UNKNOWN]
        if head is not None:
            members |= await behind(audiences, head.notification, known)
        found += listed
        if len(found) >= ENOUGH:
            return Some(found, members, row, not after)
    return Some(found, members, "", not after)


def as_json(some: Some) -> func.HttpResponse:
    """Answer with a list."""
    more = {"after": some.after} if some.after else {}
    documents = [_document(each, some.members) for each in some.recipients]
    return json_answer(200, {"recipients": documents, **more})


def as_csv(some: Some) -> func.HttpResponse:
    """Answer with a table that a spreadsheet opens, and in which it takes no text for a formula.

    Its names are in the first answer only, so that one answer can be put behind the other.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    if some.begin:
        writer.writerow(["recipient", *NAMES, "state", "detail", "attempts", "acknowledged"])
    for each in some.recipients:
        names = some.members[each.key].names if each.key in some.members else {}
        detail = each.detail or _activity_id(each)
        cells = [each.key, *(names.get(name, "") for name in NAMES), each.outcome, detail]
        writer.writerow([*map(_no_formula, cells), each.attempts, _moment(each)])
    return func.HttpResponse(text.getvalue(), mimetype="text/csv")


def format_of(request: func.HttpRequest) -> Callable[[Some], func.HttpResponse]:
    """Return what answers in the format that a call asks for; in JSON, if it asks for none.

    Raises:
        BadRequest: 400, there is no such format.
    """
    formats = {"json": as_json, "csv": as_csv}
    wanted = request.params.get("format", "json")
    if wanted not in formats:
        raise BadRequest(f"must be one of {', '.join(formats)}", field="format")
    return formats[wanted]


def _outcomes(name: str | None) -> frozenset[Outcome]:
    if name is None:
        return frozenset(Outcome)
    if name == "failed":
        return FAILURES
    try:
        return frozenset({Outcome(name)})
    except ValueError:
        names = ", ".join(["failed", *Outcome])
        raise BadRequest(f"must be one of {names}", field="state") from None


def _document(recipient: Recipient, members: Mapping[str, Member]) -> dict[str, Any]:
    optional = {
        "activityId": _activity_id(recipient),
        "reason": recipient.detail,
        "attempts": recipient.attempts,
        "acknowledged": _moment(recipient),
    }
    return {
        "recipient": recipient.key,
        **(members[recipient.key].names if recipient.key in members else {}),
        "state": recipient.outcome.value,
        **{name: value for name, value in optional.items() if value},
    }


def _moment(recipient: Recipient) -> str:
    return iso(recipient.acknowledged) if recipient.acknowledged else ""


def _activity_id(recipient: Recipient) -> str:
    return recipient.message.activity if recipient.message else ""


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell
