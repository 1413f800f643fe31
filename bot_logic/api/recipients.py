"""The recipients of a notification with what has become of each: a list, or a table."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func

from bot_logic.api.answers import json_answer
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
    """Some recipients, who is behind them, and where the next ones begin ("" if nowhere)."""

    recipients: list[Recipient]
    members: Mapping[str, Member]
    after: str


async def some_of(
    orders: Orders, audiences: Audiences, notification_id: str, wanted: str, after: str
) -> Some:
    """Return recipients of a notification in the order of its pages.

    Args:
        orders: where it stands.
        audiences: says who is behind a recipient.
        notification_id: which.
        wanted: an outcome, "failed", or "" for all.
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
            return Some(found, members, row)
    return Some(found, members, "")


def as_json(some: Some) -> func.HttpResponse:
    """Answer with a list."""
    more = {"after": some.after} if some.after else {}
    documents = [_document(each, some.members) for each in some.recipients]
    return json_answer(200, {"recipients": documents, **more})


def as_csv(some: Some) -> func.HttpResponse:
    """Answer with a table that a spreadsheet opens, and in which it takes no text for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["recipient", *NAMES, "state", "detail", "attempts"])
    for each in some.recipients:
        names = some.members[each.key].names if each.key in some.members else {}
        cells = [each.key, *(names.get(name, "") for name in NAMES), each.outcome, each.detail]
        writer.writerow([*map(_no_formula, cells), each.attempts])
    return func.HttpResponse(text.getvalue(), mimetype="text/csv")


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


def _document(recipient: Recipient, members: Mapping[str, Member]) -> dict[str, Any]:
    name = "activityId" if recipient.outcome == Outcome.SENT else "reason"
    detail = {name: recipient.detail} if recipient.detail else {}
    attempts = {"attempts": recipient.attempts} if recipient.attempts else {}
    names = members[recipient.key].names if recipient.key in members else {}
    state = recipient.outcome.value
    return {"recipient": recipient.key, **names, "state": state, **detail, **attempts}


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell
