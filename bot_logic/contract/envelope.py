"""The envelope: what travels on the queue and inside the trigger, decided once.

One flat JSON object, in UTF-8::

    {"version": 1, "id": "…", "conversation": <ConversationReference>,
     "text": "…" | "activity": <Activity>, "data": {…}, "at": 0, "created": 0, "expires": 0,
     "attempt": 0, "firstFailure": "…", "traceparent": "00-…-…-01"}

``conversation`` and one of ``text`` and ``activity`` are all that another program has to write.
A field that is not in this list is refused by name; what channels send inside ``conversation`` and
``activity`` travels whole. docs/queue-messages.md describes each field. Nothing here does I/O.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from bot_logic.addresses import is_base_url, is_id
from bot_logic.contract.old_shapes import modernise
from bot_logic.contract.queue_text import plain_text, read_json
from bot_logic.errors import ExpiredMessage, NewerVersion, OversizedMessage, UndecodableMessage

QUEUE_NAME: Final = "bot-queue"
POISON_QUEUE_NAME: Final = "bot-queue-poison"  # where the Functions host puts poison messages, too

TRIGGER_NAME: Final = "trigger"  # an event activity's name; the old template's activity type
WORKER_USER_ID: Final = "dl_queue-worker"  # who the worker is in its own Direct Line conversation

VERSION: Final = 1  # of the envelope; higher as soon as an older app could not read it right

# In base64 a queue message holds 48 KiB of JSON. What a producer says may take 40 of them, in
# UTF-8; the rest is room for what the app adds: times, attempts, a dead letter's reason.
MAX_CONTENT_BYTES: Final = 40 * 1024
MAX_REASON: Final = 200  # characters of the first failure that travel along

_FIELDS: Final = frozenset(
    (
        "activity",
        "at",
        "attempt",
        "conversation",
        "created",
        "data",
        "expires",
        "firstFailure",
        "id",
        "text",
        "traceparent",
        "version",
    )
)
# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

# Halves of characters have no UTF-8, and these two have no place in XML: only an escape holds them.
_UNWRITABLE: Final = re.compile(r"[\ud800-\udfff\ufffe\uffff]")

_TOO_LARGE: Final = 2**53  # where JSON numbers stop being exact
# What is no time in seconds (the year 5138) is one in milliseconds, as JavaScript's `Date.now()`
# gives it: those before this one lie in 1973. docs/decisions/0018-times-in-milliseconds-are-read.md
_MILLISECONDS: Final = 10**11

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Something to say, on its way to a conversation.

    Attributes:
        id: names this message for as long as it lives, through retries and replays.
        conversation: the Bot Framework ConversationReference to deliver to, as JSON.
        text: what is to be said; "" if `activity` says it.
        created: Unix time, seconds.
        activity: what is to be sent, as a Bot Framework Activity in JSON, such as a card.
        data: whatever its producer wants the bot's `on_trigger` to know.
        at: Unix time, seconds, before which it must not be delivered.
        expires: Unix time, seconds, from which on it must not be delivered; None if nobody said.
        attempt: how many attempts to deliver it have failed.
        first_failure: why the first of them failed.
        traceparent: W3C Trace Context of what caused it, or "".
    """

    id: str
    conversation: Mapping[str, Any]
    text: str
    created: int
    activity: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None
    at: int | None = None
    expires: int | None = None
    attempt: int = 0
    first_failure: str = ""
    traceparent: str = ""

    @classmethod
    def new(
        cls,
        conversation: Mapping[str, Any],
        text: str,
        *,
        message_id: str,
        now: float,
        lifetime: int,
        data: Mapping[str, Any] | None = None,
        delay: int = 0,
        traceparent: str = "",
    ) -> Self:
        """Make an envelope now, to be delivered in `delay` seconds, or within `lifetime` more.

        Args:
            conversation: a ConversationReference as JSON.
            text: what is to be said.
            message_id: which nobody has used before.
            now: Unix time, seconds.
            lifetime: seconds.
            data: for the bot's `on_trigger`.
            delay: seconds.
            traceparent: W3C Trace Context of what causes it.

        Raises:
            UndecodableMessage: the reference lacks what a delivery needs.
        """
        checked = _checked_reference(conversation)
        created = int(now)
        return cls(
            message_id,
            checked,
            text,
            created,
            data=data,
            at=_as_seconds(created + delay) if delay else None,
            expires=_as_seconds(created + delay + lifetime),
            traceparent=traceparent,
        )

    def to_document(self) -> Json:
        """Return this envelope as the JSON object that travels; what is empty is left out."""
        document: Json = {
            "version": VERSION,
            "id": self.id,
            "conversation": dict(self.conversation),
            "created": self.created,
        }
        optional = {
            "text": self.text or None,
            "activity": self.activity,
            "data": self.data,
            "at": self.at,
            "expires": self.expires,
            "attempt": self.attempt or None,
            "firstFailure": self.first_failure or None,
            "traceparent": self.traceparent or None,
        }
        return document | {name: value for name, value in optional.items() if value is not None}

    def to_json(self) -> str:
        """Return this envelope as a queue message, which it fits into if its content does."""
        return compact_json(self.to_document())

    def check_size(self) -> None:
        """Let pass what can be put on a queue, now and again after each failed attempt.

        Raises:
            OversizedMessage: its content takes too many bytes.
        """
        content = [self.id, dict(self.conversation), self.text, self.activity, self.data]
        size = len(compact_json(content).encode())
        if size > MAX_CONTENT_BYTES:
            raise OversizedMessage(
                f"the message takes {size} bytes in UTF-8, {MAX_CONTENT_BYTES} fit"
            )

    @property
    def key(self) -> str:
        """What makes this message this one: its id, whom it goes to and what it says.

        The same id with another recipient or another content is another message.
        """
        where = self.conversation["channelId"], self.conversation["conversation"]["id"]
        what = self.text, self.activity, self.data
        named = json.dumps([self.id, *where, *what], sort_keys=True)
        return hashlib.sha256(named.encode()).hexdigest()

    @property
    def due(self) -> int:
        """Unix time, seconds, from which on it could be delivered."""
        return self.created if self.at is None else max(self.created, self.at)

    def after_failure(self, reason: str) -> Self:
        """Return this envelope with one more failed attempt."""
        first = self.first_failure or reason[:MAX_REASON]
        return replace(self, attempt=self.attempt + 1, first_failure=first)

    def without_history(self) -> Self:
        """Return this envelope as if it had never been tried."""
        return replace(self, attempt=0, first_failure="")

    def expiring(self, lifetime: int) -> Self:
        """Return this envelope with an end: `lifetime` seconds after it may be delivered at all."""
        return (
            self
            if self.expires is not None
            else replace(self, expires=_as_seconds(self.due + lifetime))
        )

    def renewed(self, now: float) -> Self:
        """Return this envelope as if made now: same id, and as long to live as at first."""
        start = int(now)
        if self.expires is None:
            return replace(self.without_history(), created=start)
        expires = _as_seconds(start + max(self.expires - self.created, 0))
        return replace(self.without_history(), created=start, expires=expires)

    def seconds_until_due(self, now: float) -> float:
        """Return how many seconds must pass before it may be delivered; 0 if it may be now."""
        return 0 if self.at is None else max(0, self.at - now)

    def check_not_expired(self, now: float) -> None:
        """Let pass what may still be delivered.

        Raises:
            ExpiredMessage: it is too late.
        """
        if self.expires is not None and now >= self.expires:
            late = int(now - self.expires)
            raise ExpiredMessage(f"the message expired {late} seconds before its delivery")


def decode(message: bytes | str, *, default_id: str, now: float) -> Envelope:
    """Read a queue message: an envelope, or one of the old template's shapes.

    Args:
        message: what stands on the queue: JSON, or base64 of it.
        default_id: the id of a message that brings none; the same at each attempt.
        now: Unix time, seconds; when a message was created that does not say so.

    Raises:
        NewerVersion: an app of a newer version wrote it.
        UndecodableMessage: naming the field at fault.
        OversizedMessage: it could not be put back after a failed attempt.
    """
    envelope = from_document(modernise(_parse(message)), default_id=default_id, now=now)
    envelope.check_size()
    return envelope


def from_document(document: Any, *, default_id: str | None = None, now: float) -> Envelope:
    """Check a JSON value and read it as an envelope.

    Raises:
        NewerVersion: an app of a newer version wrote it.
        UndecodableMessage: naming the field at fault.
    """
    fields = {k: v for k, v in _object(document, "message").items() if v is not None}
    if (_whole_number(fields, "version") or VERSION) > VERSION:
        raise NewerVersion(f"version {fields['version']} is newer than {VERSION}")
    _refuse_unknown(fields)
    _refuse_two_contents(fields)
    return Envelope(
        id=_id(fields.get("id", default_id), "id"),
        conversation=_checked_reference(fields.get("conversation")),
        text="" if "activity" in fields else _text(fields.get("text"), "text"),
        created=_time(fields, "created") or int(now),
        activity=_optional_object(fields, "activity"),
        data=_optional_object(fields, "data"),
        at=_time(fields, "at"),
        expires=_time(fields, "expires"),
        attempt=_whole_number(fields, "attempt") or 0,
        first_failure=str(fields.get("firstFailure", ""))[:MAX_REASON],
        traceparent=_traceparent(fields.get("traceparent", "")),
    )


def compact_json(value: Any) -> str:
    """Write JSON in as few bytes of UTF-8 as it takes."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if _UNWRITABLE.search(text):
        return json.dumps(value, separators=(",", ":"))
    return text


def _parse(message: bytes | str) -> Any:
    try:
        return read_json(plain_text(message))
    except ValueError as error:
        raise UndecodableMessage(f"the message is {error}") from error


def _refuse_unknown(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in _FIELDS:
            shown = name if is_id(name) else "a name that cannot be printed"
            raise UndecodableMessage("is not a field of a message", field=shown[:MAX_REASON])


def _refuse_two_contents(fields: Mapping[str, Any]) -> None:
    if "text" in fields and "activity" in fields:
        raise UndecodableMessage("goes without text: the activity has one", field="activity")


def _checked_reference(value: Any) -> Json:
    reference = dict(_object(value, "conversation"))
    # An answer to one activity; kept, it would hold the proactive message back in Web Chat.
    reference.pop("activityId", None)
    _id(reference.get("channelId"), "conversation.channelId")
    if not is_base_url(reference.get("serviceUrl")):
        raise UndecodableMessage("must be an http(s) URL", field="conversation.serviceUrl")
    account = _object(reference.get("conversation"), "conversation.conversation")
    _id(account.get("id"), "conversation.conversation.id")
    # As the Microsoft 365 Agents SDK writes it.
    # https://learn.microsoft.com/javascript/api/@microsoft/agents-activity/conversationreference
    is_agent = reference.get("bot") is None and reference.get("agent") is not None
    for party in ("user", "agent" if is_agent else "bot"):
        if reference.get(party) is not None:
            account = _object(reference[party], f"conversation.{party}")
            if account.get("id") is not None:
                _id(account["id"], f"conversation.{party}.id")
    if is_agent:
        reference["bot"] = reference.pop("agent")
    return reference


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UndecodableMessage("must be a JSON object", field=field)
    return value


def _optional_object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    return _object(fields[name], name) if name in fields else None


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise UndecodableMessage("must be a string that is not empty", field=field)
    return value


def _id(value: Any, field: str) -> str:
    if not is_id(value):
        raise UndecodableMessage("must be an id: printable, not empty, not endless", field=field)
    return str(value)


def _whole_number(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _TOO_LARGE:
        raise UndecodableMessage("must be a whole number, 0 or more", field=name)
    return value


def _time(fields: Mapping[str, Any], name: str) -> int | None:
    """Return a Unix time in seconds, which may be written in milliseconds."""
    value = _whole_number(fields, name)
    if value is None or value < _MILLISECONDS:
        return value
    seconds = value // 1000
    if seconds >= _MILLISECONDS:
        raise UndecodableMessage("must be Unix time in seconds, or in milliseconds", field=name)
    return seconds


def _as_seconds(time: int) -> int:
    """Return the latest time that is not read as one in milliseconds, if this is later."""
    return min(time, _MILLISECONDS - 1)


def is_traceparent(value: Any) -> bool:
    """Tell whether this is a W3C traceparent."""
    return isinstance(value, str) and _TRACEPARENT.fullmatch(value) is not None


def _traceparent(value: Any) -> str:
    if value != "" and not is_traceparent(value):
        raise UndecodableMessage("must be a W3C traceparent", field="traceparent")
    return str(value)
