"""The contract of the two resources: what travels on the queue and inside the trigger.

On the queue an envelope is one JSON object::

    {"conversation": <ConversationReference>, "text": "…", "id": "…", "created": 0, "expires": 0,
     "attempts": 0, "firstFailure": "…"}

``conversation`` and ``text`` are all that another program has to write. ``id`` names the message
(without it the queue's own message id does), ``created`` and ``expires`` are Unix times in
seconds. The last two are ours, for a message that has failed before. Nothing here does I/O.

ConversationReference:
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from bot_logic.errors import ExpiredMessage, OversizedMessage, UndecodableMessage
from bot_logic.legacy import modernise
from bot_logic.wire import is_base_url, is_id

QUEUE_NAME: Final = "bot-queue"
POISON_QUEUE_NAME: Final = "bot-queue-poison"  # where the Functions host puts poison messages, too

TRIGGER_NAME: Final = "trigger"  # an event activity's name; the old template's activity type
WORKER_USER_ID: Final = "dl_queue-worker"  # who the worker is in its own Direct Line conversation

# A queue message holds 64 KiB of base64, so 48 KiB of JSON; the rest is room for the reason that
# a dead letter adds. https://learn.microsoft.com/rest/api/storageservices/put-message
MAX_QUEUE_BYTES: Final = 48 * 1024
MAX_ENVELOPE_BYTES: Final = 40 * 1024
MAX_REASON: Final = 200  # characters of the first failure that travel along

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A text on its way to a conversation.

    Attributes:
        id: names this message for as long as it lives, through retries and replays.
        reference: the Bot Framework ConversationReference to deliver to, as JSON.
        text: what was said.
        created: Unix time, seconds.
        expires: Unix time, seconds, after which it must not be delivered; None if nobody said.
        attempts: how often a delivery was tried and failed.
        first_failure: why the first of them failed.
    """

    id: str
    reference: Mapping[str, Any]
    text: str
    created: int
    expires: int | None = None
    attempts: int = 0
    first_failure: str = ""

    @classmethod
    def new(cls, reference: Mapping[str, Any], text: str, *, lifetime: int) -> Self:
        """An envelope made now, with an id of its own, to be delivered within `lifetime` seconds.

        Raises:
            UndecodableMessage: the reference lacks what a delivery needs.
        """
        now = int(time.time())
        checked = _checked_reference(reference)
        return cls(uuid.uuid4().hex, checked, text, created=now, expires=now + lifetime)

    def to_document(self) -> Json:
        """This envelope as the JSON object that travels."""
        document: Json = {
            "id": self.id,
            "conversation": dict(self.reference),
            "text": self.text,
            "created": self.created,
        }
        if self.expires is not None:
            document["expires"] = self.expires
        if self.attempts:
            document |= {"attempts": self.attempts, "firstFailure": self.first_failure}
        return document

    def after_failure(self, reason: str) -> Self:
        """This envelope, with one more failed attempt."""
        first = self.first_failure or reason[:MAX_REASON]
        return replace(self, attempts=self.attempts + 1, first_failure=first)

    def without_history(self) -> Self:
        """This envelope, as if it had never been tried."""
        return replace(self, attempts=0, first_failure="")

    def expiring(self, lifetime: int) -> Self:
        """This envelope, to be delivered within `lifetime` seconds unless its sender said else."""
        return self if self.expires is not None else replace(self, expires=self.created + lifetime)

    def renewed(self) -> Self:
        """This envelope, as if it had been made now: same id, and as long to live as at first."""
        now = int(time.time())
        expires = None if self.expires is None else now + max(self.expires - self.created, 0)
        return replace(self.without_history(), created=now, expires=expires)

    def to_json(self) -> str:
        """This envelope as a queue message.

        Raises:
            OversizedMessage: it would not fit.
        """
        message = json.dumps(self.to_document(), separators=(",", ":"))
        if len(message) > MAX_ENVELOPE_BYTES:  # json.dumps writes ASCII: one byte a character
            raise OversizedMessage(
                f"the message takes {len(message)} bytes, {MAX_ENVELOPE_BYTES} fit"
            )
        return message

    def check_not_expired(self, now: float | None = None) -> None:
        """Raises ExpiredMessage if it is too late to deliver this envelope."""
        now = time.time() if now is None else now
        if self.expires is not None and now >= self.expires:
            late = int(now - self.expires)
            raise ExpiredMessage(f"the message expired {late} seconds before its delivery")


def decode(message: bytes | str, *, default_id: str) -> Envelope:
    """Read a queue message: an envelope, or one of the old template's shapes.

    Args:
        message: the message's text, as it was before base64.
        default_id: the id of a message that brings none; the same at each attempt.

    Raises:
        UndecodableMessage: naming the field at fault.
    """
    return from_document(modernise(_parse(message)), default_id=default_id)


def from_document(document: Any, *, default_id: str | None = None) -> Envelope:
    """Check a JSON value and read it as an envelope.

    Raises:
        UndecodableMessage: naming the field at fault.
    """
    fields = _object(document, "message")
    return Envelope(
        id=_id(default_id if fields.get("id") is None else fields["id"], "id"),
        reference=_checked_reference(fields.get("conversation")),
        text=_text(fields.get("text"), "text"),
        created=_whole_number(fields.get("created"), "created") or int(time.time()),
        expires=_whole_number(fields.get("expires"), "expires"),
        attempts=_whole_number(fields.get("attempts"), "attempts") or 0,
        first_failure=str(fields.get("firstFailure") or "")[:MAX_REASON],
    )


def _parse(message: bytes | str) -> Any:
    try:
        text = message.decode("utf-8") if isinstance(message, bytes) else message
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UndecodableMessage("the message is not JSON") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _checked_reference(value: Any) -> Json:
    reference = dict(_object(value, "conversation"))
    # An answer to one activity; kept, it would hold the proactive message back in Web Chat.
    reference.pop("activityId", None)
    _id(reference.get("channelId"), "conversation.channelId")
    if not is_base_url(reference.get("serviceUrl")):
        raise UndecodableMessage("must be an http(s) URL", field="conversation.serviceUrl")
    account = _object(reference.get("conversation"), "conversation.conversation")
    _id(account.get("id"), "conversation.conversation.id")
    for party in ("user", "bot"):
        if reference.get(party) is not None:
            account = _object(reference[party], f"conversation.{party}")
            if account.get("id") is not None:
                _id(account["id"], f"conversation.{party}.id")
    return reference


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UndecodableMessage("must be a JSON object", field=field)
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise UndecodableMessage("must be a string that is not empty", field=field)
    return value


def _id(value: Any, field: str) -> str:
    if not is_id(value):
        raise UndecodableMessage("must be an id: printable, not empty, not endless", field=field)
    return str(value)


def _whole_number(value: Any, field: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UndecodableMessage("must be a whole number, 0 or more", field=field)
    return value
