"""What a person said, without the markup that a channel put around names; and said again as it was.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/channel-and-group-conversations
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md#text-format
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from botbuilder.schema import Activity, ActivityTypes, TextFormatTypes

from bot_logic.bot_endpoint.trigger import activity_of
from bot_logic.contract.envelope import Envelope

MAX_MENTIONS: Final = 100  # of one message; more than a person types

_TEXT_FORMAT: Final = "textFormat"  # in the `data` of a queue message
_FORMATS: Final = frozenset(known.value for known in TextFormatTypes)
_TAG: Final = re.compile(r"</?at(?:\s[^<>]{0,200})?>", re.IGNORECASE)


def spoken_text(activity: Activity) -> str:
    """Return what was said to the bot: without its own name, and others' names without markup."""
    text = activity.text or ""
    for markup, account in islice(_mentions(activity), MAX_MENTIONS):
        if account.get("id") == activity.recipient.id:
            text = re.sub(rf"{re.escape(markup)}[ \xa0]?", "", text)
        else:
            text = text.replace(markup, _TAG.sub("", markup))
    return text.strip()


def has_attachment(activity: Activity) -> bool:
    """Tell whether something is attached besides the text, which Teams attaches as HTML, too.

    https://github.com/MicrosoftDocs/msteams-docs/issues/3960
    """
    return any(each.content_type != "text/html" for each in activity.attachments or ())


def answer_to(activity: Activity, text: str) -> Activity:
    """Make a message that repeats what was said, in the format in which it was: `**` stays `**`."""
    return _message(text, activity.text_format)


def format_data(activity: Activity) -> dict[str, Any] | None:
    """Return the `data` of a queue message from which `message_of` knows the format."""
    written = activity.text_format
    return {_TEXT_FORMAT: written} if written in _FORMATS else None


def message_of(envelope: Envelope, text: str) -> Activity:
    """Return the activity that an envelope brings, or else `text`, in the format of its own text.

    Raises:
        UndecodableMessage: naming the field at fault.
    """
    return activity_of(envelope) or _message(text, (envelope.data or {}).get(_TEXT_FORMAT))


def _message(text: str, text_format: Any) -> Activity:
    known = text_format if isinstance(text_format, str) and text_format in _FORMATS else None
    return Activity(type=ActivityTypes.message, text=text, text_format=known)


def _mentions(activity: Activity) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield how each mention stands in the text, and who is meant."""
    for entity in activity.entities or ():
        fields = entity.additional_properties or {}
        account = fields.get("mentioned")
        if str(entity.type).lower() == "mention" and isinstance(account, dict):
            markup = _markup(fields.get("text"), account.get("name"))
            if markup:
                yield markup, account


def _markup(text: Any, name: Any) -> str:
    """Return a mention as it stands in the text; Teams' group chats have left that out.

    https://github.com/microsoft/botbuilder-dotnet/issues/2504
    """
    if text is None and isinstance(name, str) and name:
        return f"<at>{name}</at>"
    return text if isinstance(text, str) else ""
