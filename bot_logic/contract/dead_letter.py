"""Dead letters: written to the poison queue when a message cannot be delivered, read from there.

The Functions host would move the bare message there after its last attempt, without a word. This
writes the message with the reason beside it. Pure: JSON in, JSON out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bot_logic.addresses import is_id
from bot_logic.contract.envelope import Envelope, compact_json, decode
from bot_logic.contract.queue_text import MAX_LEVELS, MAX_QUEUE_TEXT, plain_text, read_json
from bot_logic.errors import NewerVersion, PermanentError, ProactiveBotError

MAX_WORDS: Final = 1000  # characters of a reason, and of all else that goes into a log line
MAX_BEGINNING: Final = 4000  # characters of a message that no row can hold as a whole
HOST_GAVE_UP: Final = "HostGaveUp"  # the error of a message that lies there without a reason


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as an operator reads it.

    Attributes:
        id: the message's id; the queue's, if it had none that can be read.
        key: under which its idempotency record stands; its id, if it is no message of ours.
        error: the type of error that made it end, one of `bot_logic.errors`, or `HostGaveUp`.
        reason: what went wrong, in words; nothing that a user said.
        first_reason: what went wrong at the first attempt, if there were more.
        attempts: how often a delivery was tried and failed; None if it says nothing of that.
        age_seconds: how old it was when it ended; None if it says nothing of that.
        dead_lettered_at: ISO 8601, or "" if it does not say.
        missed: who did not get it: the channel, the conversation's id and the user's, if it says.
        message: the message itself: a JSON value, or the text that is not JSON.
    """

    id: str
    key: str
    error: str
    reason: str
    first_reason: str
    attempts: int | None
    age_seconds: int | None
    dead_lettered_at: str
    missed: str
    message: Any

    def envelope(self) -> Envelope | None:
        """Return the message as whoever delivers it would read it; None if it is none of ours."""
        return _envelope(self.message, self.id)

    def message_to_replay(self, now: float) -> str:
        """Return the message as it goes on the queue again: same id, as long to live.

        Raises:
            UndecodableMessage, OversizedMessage: it would come to the same end again.
        """
        text = _message_text(self.message)
        try:
            return decode(text, default_id=self.id, now=now).renewed(now).to_json()
        except NewerVersion:  # whose rules we do not know: as it was
            return text

    def without_message(self) -> str:
        """Return this dead letter with no more than the beginning of its message, as JSON."""
        document = {
            "error": self.error,
            "reason": self.reason,
            "firstReason": self.first_reason,
            "attempts": self.attempts,
            "ageSeconds": self.age_seconds,
            "deadLetteredAt": self.dead_lettered_at,
            "message": _message_text(self.message)[:MAX_BEGINNING],
        }
        return compact_json(document)


def dead_letter(envelope: Envelope, error: Exception, now: float) -> str:
    """Return the dead letter of a message: why it ended, when, and after how many attempts.

    Args:
        envelope: the message, with its last failure counted in.
        error: what made it end here; its type and its text become the reason.
        now: Unix time, seconds.

    Returns:
        A JSON object; or the bare message, if that leaves no room for the reason.
    """
    message = envelope.without_history().to_document()
    history = {
        "firstReason": envelope.first_failure,
        "attempts": envelope.attempt,
        "ageSeconds": max(0, int(now) - envelope.created),
    }
    return _fitting(_reasons(error, now) | history | {"message": message}, compact_json(message))


def undecodable(message: bytes | str, error: Exception, now: float) -> str:
    """Return the dead letter of what is not a message of ours, with what is wrong with it."""
    text = plain_text(message)
    content = _json(text)
    return _fitting(_reasons(error, now) | {"message": text if content is None else content}, text)


def read_dead_letter(body: bytes | str, *, default_id: str) -> DeadLetter:
    """Read a dead letter, or the bare message that the host has moved to the poison queue."""
    text = plain_text(body)
    content = _json(text, levels=MAX_LEVELS + 1)
    if not _is_dead_letter(content):
        content = _why_bare(text) | {"message": text if content is None else content}
    message = content["message"]
    own_id = message.get("id") if isinstance(message, Mapping) else None
    message_id = str(own_id) if is_id(own_id) else default_id
    envelope = _envelope(message, message_id)
    return DeadLetter(
        id=message_id,
        key=message_id if envelope is None else envelope.key,
        error=_word(content, "error"),
        reason=_word(content, "reason"),
        first_reason=_word(content, "firstReason"),
        attempts=_number(content, "attempts"),
        age_seconds=_number(content, "ageSeconds"),
        dead_lettered_at=_word(content, "deadLetteredAt"),
        missed="" if envelope is None else _missed(envelope),
        message=message,
    )


def _why_bare(text: str) -> dict[str, Any]:
    """Say why a message lies there without a reason: it is none of ours, or nobody knows."""
    try:
        decode(text, default_id="unknown", now=0)
    except PermanentError as error:
        return {"error": type(error).__name__, "reason": str(error)}
    except NewerVersion:
        pass
    reason = "the Functions host moved it, after the attempts that host.json allows"
    return {"error": HOST_GAVE_UP, "reason": reason}


def _envelope(message: Any, message_id: str) -> Envelope | None:
    """Read a message as whoever delivers it would; None if it is none of ours."""
    try:
        return decode(_message_text(message), default_id=message_id, now=0)
    except ProactiveBotError:
        return None


def _missed(envelope: Envelope) -> str:
    to = envelope.conversation
    user = to.get("user") or {}
    ids = to["channelId"], to["conversation"]["id"], user.get("id")
    return " ".join(each for each in ids if each)


def _reasons(error: Exception, now: float) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "reason": str(error)[:MAX_WORDS],
        "deadLetteredAt": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
    }


def _fitting(document: dict[str, Any], bare_message: str) -> str:
    text = compact_json(document)
    return text if len(text.encode()) <= MAX_QUEUE_TEXT else bare_message


def _message_text(message: Any) -> str:
    return message if isinstance(message, str) else compact_json(message)


def _json(text: str, levels: int = MAX_LEVELS) -> Any:
    try:
        return read_json(text, levels=levels)
    except ValueError:
        return None


def _is_dead_letter(content: Any) -> bool:
    """Tell whether it looks like one of ours; a stranger's may, so its words are bounded, too."""
    return (
        isinstance(content, Mapping)
        and isinstance(content.get("error"), str)
        and isinstance(content.get("reason"), str)
        and "message" in content
    )


def _word(content: Mapping[str, Any], name: str) -> str:
    """Return a field that goes into log lines and rows, what cannot be printed escaped, or ""."""
    value = content.get(name)
    if not isinstance(value, str):
        return ""
    printable = (each if each.isprintable() else ascii(each)[1:-1] for each in value[:MAX_WORDS])
    return "".join(printable)[:MAX_WORDS]


def _number(content: Mapping[str, Any], name: str) -> int | None:
    value = content.get(name)
    return value if isinstance(value, int) and 0 <= value < 2**53 else None
