"""What stands on a queue: JSON, or base64 of it, as each producer's client happens to write it.

Python's `QueueClient`, JavaScript's and `az storage message put` write what they are given; C#'s
older client, and the Functions host's own habit, is base64. Either is taken. The host itself does
not look into a message (`messageEncoding` is `none` in host.json), for what it does not understand
it moves to the poison queue without a word.
"""

import base64
import re
from typing import Final

_BYTE_ORDER_MARK: Final = "\ufeff"
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+=*")
_STANDARD: Final = str.maketrans("-_", "+/")


def plain_text(body: bytes | str) -> str:
    """Return a queue message's text, base64 removed if it is base64 of text.

    Padding and line breaks may be missing or there, the alphabet may be that of URLs, and a byte
    order mark may stand before either.
    """
    text = body if isinstance(body, str) else body.decode("utf-8", "backslashreplace")
    text = text.removeprefix(_BYTE_ORDER_MARK)
    decoded = None if text.lstrip().startswith("{") else _from_base64("".join(text.split()))
    return text if decoded is None else decoded


def _from_base64(text: str) -> str | None:
    """Return what a text encodes, or None: a word such as `Text` can pass for base64, too."""
    digits = text.rstrip("=").translate(_STANDARD)
    if not _BASE64.fullmatch(text) or len(digits) % 4 == 1:
        return None
    try:
        decoded = base64.b64decode(digits + "=" * (-len(digits) % 4)).decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return decoded if decoded.lstrip().startswith("{") or _is_readable(decoded) else None


def _is_readable(text: str) -> bool:
    return all(character.isprintable() or character.isspace() for character in text)
