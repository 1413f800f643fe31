"""Links in documents: to a file that moved they follow it, to one that stays behind they go."""

import posixpath
import re
from collections.abc import Mapping
from typing import Final

_LINK: Final = re.compile(r"(?P<image>!?)\[(?P<words>[^\[\]]*)\]\((?P<target>[^)\s]+)\)")
_FENCED: Final = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:|#")


def relinked(text: str, path: str, places: Mapping[str, str | None]) -> str:
    """Return a document whose links lead somewhere in the bot's repository.

    Args:
        text: the document, in Markdown.
        path: where it stands in this project.
        places: where each file of this project goes, None for nowhere.
    """
    parts = _FENCED.split(text)  # every second one is code
    parts[::2] = [_LINK.sub(lambda found: _link(found, path, places), part) for part in parts[::2]]
    return "".join(parts)


def _link(found: re.Match[str], path: str, places: Mapping[str, str | None]) -> str:
    target, hash_sign, anchor = found["target"].partition("#")
    if not target or _ELSEWHERE.match(target):
        return found[0]
    there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    place = places.get(there) or _folder(there, places)
    if place is None:
        return "" if found["image"] else found["words"]
    here = posixpath.dirname(places[path] or path) or "."
    link = posixpath.relpath(place, here) + hash_sign + anchor
    return f"{found['image']}[{found['words']}]({link})"


def _folder(there: str, places: Mapping[str, str | None]) -> str | None:
    """Return a folder that the bot's repository has, too."""
    inside = (place for place in places.values() if place)
    return there if any(place.startswith(f"{there}/") for place in inside) else None
