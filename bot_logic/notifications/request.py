"""What a caller may ask for: checked by name, and an unknown field refused."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from bot_logic.addresses import is_base_url, is_guid, is_id
from bot_logic.errors import BadRequest
from bot_logic.notifications.content import check_size
from bot_logic.notifications.orders import Request

MAX_LISTED: Final = 1000  # recipients of a list
MAX_LIST: Final = 500_000  # bytes; a row of a table holds a megabyte
MAX_TITLE: Final = 100  # characters
GOT_IT: Final = "Got it"
MAX_TOPIC: Final = 100  # characters
FAR: Final = 10 * 365 * 24 * 3600  # seconds
LAST: Final = 253_370_764_800  # 9999-01-01, Unix time: behind it are times that have no date

_Kind = TypeVar("_Kind")

_PATH: Final = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_FIELD: Final = re.compile(r"(?:unknown|required) field `(?P<name>[^`]*)`")


class To(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"
):
    """An audience: exactly one of the first five; the last two are for first contact."""

    conversation: str | None = None
    user: str | None = None
    topic: str | None = None
    channel: str | None = None
    all: bool | None = None
    at_most: int | None = msgspec.field(default=None, name="at_most")
    groups: bool | None = None
    tenant: str | None = None
    service_url: str | None = None


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: str | None = None
    activity: dict[str, Any] | None = None


class _Body(_Content, frozen=True, forbid_unknown_fields=True, kw_only=True):
    to: To | list[To]
    acknowledge: bool | str = False
    at: str | float | None = None
    expires: str | float | None = None


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


def parse(body: bytes, now: float, lifetime: int) -> Request:
    """Read the body of a POST.

    Args:
        body: JSON.
        now: Unix time, seconds.
        lifetime: seconds after `at` in which it may be sent, unless the body says otherwise.

    Raises:
        BadRequest: naming the field at fault.
    """
    asked = _decoded(body, _Body)
    at = moment_of(asked.at, "at", now, now)
    expires = moment_of(asked.expires, "expires", at, min(at + lifetime, LAST))
    if asked.expires is None and expires <= now:
        raise BadRequest(f"is past, by more than the {lifetime} s until it expires", field="at")
    if expires <= max(at, now):
        raise BadRequest("must come after `at`, and not be over", field="expires")
    title = _title(asked.acknowledge)
    return Request(_to(asked.to), _content(asked), int(at), int(expires), title)


def parse_content(body: bytes) -> Mapping[str, Any]:
    """Read the body of a PATCH: what is to be said instead, as an activity.

    Raises:
        BadRequest: naming the field at fault.
    """
    return _content(_decoded(body, _Content))


def parse_nothing(body: bytes) -> None:
    """Let pass the body of a call that needs none: nothing, or an empty object.

    Raises:
        BadRequest: naming the field that is there.
    """
    if body:
        _decoded(body, _Nothing)


def _decoded(body: bytes, kind: type[_Kind]) -> _Kind:
    try:
        document = msgspec.json.decode(body)
        json.loads(body, object_pairs_hook=_once_each)  # of two alike, msgspec takes the last
        _check_no_null(document)
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise _bad(error) from None
    except msgspec.DecodeError as error:  # it names the byte, and quotes nothing
        raise BadRequest(f"the body is not JSON in UTF-8: {error}") from None
    except (UnicodeDecodeError, RecursionError):
        raise BadRequest("the body is not JSON in UTF-8") from None


def _once_each(fields: list[tuple[str, Any]]) -> None:
    """Refuse an object that has a field twice: one reader takes the first, another the last."""
    seen = set[str]()
    for name, _ in fields:
        if name in seen:
            raise BadRequest("is there twice", field=name)
        seen.add(name)


def _check_no_null(document: Any, field: str = "") -> None:
    """Refuse a null among our fields: an empty variable of the caller's is no permission for all.

    What is inside `activity` is not ours.
    """
    match document:
        case None:
            raise BadRequest("must not be null", field=field or None)
        case list():
            for number, each in enumerate(document):
                _check_no_null(each, f"{field}[{number}]")
        case dict():
            for name, value in document.items():
                if not (name == "activity" and isinstance(value, dict)):
                    _check_no_null(value, f"{field}.{name}" if field else name)


def _to(to: To | list[To]) -> Any:
    if isinstance(to, To):
        _check_one(to, "to")
        return _document(to)
    if not 1 <= len(to) <= MAX_LISTED:
        raise BadRequest(f"must list 1 to {MAX_LISTED} recipients", field="to")
    if len(msgspec.json.encode(to)) > MAX_LIST:
        raise BadRequest(
            f"takes more than {MAX_LIST} bytes", status=413, code="TooLarge", field="to"
        )
    for number, each in enumerate(to):
        field = f"to[{number}]"
        _check_one(each, field)
        if each.user is None and each.conversation is None:
            raise BadRequest("a list has users and conversations only", field=field)
    return [_document(each) for each in to]


def _document(to: To) -> Any:
    """Return an audience as JSON; GUIDs in small letters, in which channels write them."""
    if to.service_url is None:
        return msgspec.to_builtins(to)
    small = {"user": str(to.user).lower(), "tenant": str(to.tenant).lower()}
    return {**small, "serviceUrl": to.service_url}


def _check_one(to: To, field: str) -> None:
    named = {"conversation": to.conversation, "user": to.user, "topic": to.topic}
    named |= {"channel": to.channel}
    given = [name for name, value in named.items() if value is not None]
    given += ["all"] if to.all is not None else []
    if len(given) != 1:
        raise BadRequest(
            "must have exactly one of conversation, user, topic, channel and all", field=field
        )
    name, value = given[0], named.get(given[0])
    if value is not None and not is_id(value):
        raise BadRequest("must be printable, not empty and not endless", field=f"{field}.{name}")
    if to.topic is not None:
        check_topic(to.topic, f"{field}.topic")
    if to.all is False:
        raise BadRequest("must be true", field=f"{field}.all")
    if to.all and to.at_most is None:
        raise BadRequest(
            "is required with all: how many you expect at most", field=f"{field}.at_most"
        )
    if to.at_most is not None and (to.at_most < 1 or to.user or to.conversation):
        raise BadRequest("must be 1 or more, and goes with many", field=f"{field}.at_most")
    if to.groups is not None and not to.all:
        raise BadRequest("goes with all", field=f"{field}.groups")
    if to.tenant is not None or to.service_url is not None:
        _check_first_contact(to, field)


def _check_first_contact(to: To, field: str) -> None:
    """Let pass what names somebody on Teams whom the bot may never have met."""
    if to.user is None:
        name = "tenant" if to.tenant is not None else "serviceUrl"
        raise BadRequest("goes with user", field=f"{field}.{name}")
    for name, value in (("user", to.user), ("tenant", to.tenant)):
        if not is_guid(value):
            raise BadRequest("must be a GUID, if serviceUrl is given", field=f"{field}.{name}")
    if not is_base_url(to.service_url):
        raise BadRequest("must be an http(s) URL, if tenant is given", field=f"{field}.serviceUrl")


def check_topic(name: str, field: str) -> None:
    """Let pass what may be a topic's name.

    Raises:
        BadRequest: it may not.
    """
    if not is_id(name) or len(name) > MAX_TOPIC:
        raise BadRequest(f"must be printable, and 1 to {MAX_TOPIC} characters", field=field)


def _content(asked: _Content) -> Mapping[str, Any]:
    if (asked.text is None) == (asked.activity is None):
        raise BadRequest("must have exactly one of text and activity", field="text")
    if asked.text is not None and not asked.text.strip():
        raise BadRequest("must not be empty", field="text")
    activity = {"type": "message", "text": asked.text}
    if asked.activity is not None:
        activity = {"type": "message", **asked.activity}
    check_size(activity, field="text" if asked.activity is None else "activity")
    return activity


def _title(acknowledge: bool | str) -> str:  # noqa: FBT001 - as it is asked for
    """Return what stands on the button by which recipients confirm it; "" for no button."""
    if isinstance(acknowledge, bool):
        return GOT_IT if acknowledge else ""
    if not is_id(acknowledge) or len(acknowledge) > MAX_TITLE:
        message = f"must be true, or a button's title of 1 to {MAX_TITLE} characters"
        raise BadRequest(message, field="acknowledge")
    return acknowledge


def moment_of(value: str | float | None, field: str, start: float, default: float) -> float:
    """Return a time that is given with its offset, or as seconds from some start.

    Raises:
        BadRequest: it is neither; naming the field.
    """
    if value is None:
        return default
    if isinstance(value, int | float):
        if not 0 <= value <= FAR:
            raise BadRequest("must be seconds from then on: 0 or more", field=field)
        return start + value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadRequest(
            "must be a time with its offset, such as 2030-01-31T09:00:00+01:00, or seconds",
            field=field,
        )
    if moment.timestamp() >= LAST:
        raise BadRequest("must be before the year 9999", field=field)
    return moment.timestamp()


def _bad(error: msgspec.ValidationError) -> BadRequest:
    """Say which field is at fault, as a path."""
    message = str(error)
    place, named = _PATH.search(message), _FIELD.search(message)
    path = [place["path"].lstrip("[.]") if place else "", named["name"] if named else ""]
    rule = (message[: place.start()] if place else message).replace(" | null", "")
    return BadRequest(rule, field=".".join(filter(None, path)) or None)
