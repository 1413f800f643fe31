"""What a document says about this project alone: it is cut, or the document says where it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

NOTE: Final = (
    "\n---\n\n*What this page names and is not here (tests, decisions, commands, pages) is in "
    "the template that this bot was made from.*\n"
)
# Between these two, each on a line of its own, stands what no bot needs.
_CUT: Final = re.compile(r"^<!-- template -->\n.*?^<!-- /template -->\n", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(?<!!)\[[^\[\]]*\]\(([^)\s#]+)[^)]*\)")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_PATH: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)*")


def without_cut(text: str) -> str:
    """Return a document without the parts that are marked as this project's."""
    return re.sub(r"\n{3,}", "\n\n", _CUT.sub("", text)) if _CUT.search(text) else text


def names_left_behind(text: str, places: Mapping[str, str | None]) -> bool:
    """Tell whether a document names a file or a folder that a bot does not get.

    Args:
        text: the document as it is in this project.
        places: where each file of this project goes, None for nowhere.
    """
    there = _endings(path for path, place in places.items() if place)
    left = _endings(path for path, place in places.items() if place is None) - there
    named = {target.rstrip("/") for target in _LINK.findall(text)}
    named |= {path for code in _CODE.findall(text) for path in _PATH.findall(code)}
    named = {re.sub(r"^(\.\./)+", "", each) for each in named if set(each) & {".", "/"}}
    return not named.isdisjoint(left)


def _endings(paths: Iterable[str]) -> set[str]:
    """Return all that may name these files, from any folder on, and their folders, from the top."""
    found = set()
    for path in paths:
        parts = path.split("/")
        found |= {"/".join(parts[start:]) for start in range(len(parts))}
        found |= {"/".join(parts[:end]) for end in range(1, len(parts))}
    return found
