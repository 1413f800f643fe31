"""What the commands say: lines for people, JSON for scripts, and a bar while something goes on.

Ids and reasons come from outside: whatever could move a terminal's cursor is escaped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

BAR: Final = 30  # characters
FULL: Final = "#"
EMPTY: Final = "-"
MAX_AUDIENCE: Final = 60  # characters of it in a list
ORDER: Final = ("verb", "text", "state", "at", "expires", "to", "of", "cancelled", "reason")


@dataclass(slots=True)
class Output:
    """Where a command's words go.

    Attributes:
        as_json: a JSON document a line instead of words.
        out: for what was asked for.
        progress: for what goes on meanwhile; a bar, if it is a terminal.
    """

    as_json: bool
    out: TextIO
    progress: TextIO
    _last: str = field(default="", init=False)

    def say(self, document: Any, words: str) -> None:
        """Say something: the document, or these words."""
        self.out.write(f"{json.dumps(document) if self.as_json else words}\n")
        self.out.flush()

    def is_at(self, document: Mapping[str, Any]) -> None:
        """Show how far a notification is."""
        line = progress(document)
        if line == self._last:
            return
        before, after = ("\r\x1b[K", "") if self.progress.isatty() else ("", "\n")
        self.progress.write(f"{before}{line}{after}")
        self.progress.flush()
        self._last = line

    def ends(self) -> None:
        """Leave the bar's line."""
        if self._last and self.progress.isatty():
            self.progress.write("\n")


def progress(document: Mapping[str, Any]) -> str:
    """Return a bar of those who have an outcome, and the counts."""
    total, still_open = document["recipients"], document["counts"].get("open", 0)
    share = (total - still_open) / total if total and document["planned"] else 0.0
    bar = FULL * int(share * BAR)
    return f"[{bar:{EMPTY}<{BAR}}] {printable(document['state'])}: {counts(document)}"


def counts(document: Mapping[str, Any]) -> str:
    """Return how many there are, and how many have which outcome."""
    each = ", ".join(f"{printable(name)} {n:,}" for name, n in document["counts"].items())
    number = document["recipients"]
    return f"{number:,} recipient{'s' * (number != 1)}" + (f" ({each})" if each else "")


def is_too_many(document: Mapping[str, Any], at_most: int | None) -> bool:
    """Tell whether a notification would be refused that this preview is of."""
    return at_most is not None and document["recipients"] > at_most


def preview(document: Mapping[str, Any], at_most: int | None = None) -> str:
    """Return how many would get it, the first of them, and how many are left out, or that it fails.

    Who is left out counts towards `at_most`, too.
    """
    if is_too_many(document, at_most):
        return (
            f"nobody would get it: {document['recipients']:,} are more than --at-most {at_most:,}"
        )
    first = [printable(each.get("user") or each.get("conversation")) for each in document["first"]]
    opted_out, blocked = document.get("optedOut", 0), document.get("blocked", 0)
    told = document["recipients"] - opted_out - blocked
    words = f"{told:,} would get it" + (f": {', '.join(first)}" if first else "")
    words += " …" if told > len(first) else ""
    if opted_out or blocked:
        words += f"\nleft out: {opted_out:,} said stop, {blocked:,} lately blocked the bot"
    return words


def summary(document: Mapping[str, Any]) -> str:
    """Return a notification on one line."""
    verb = document.get("verb", "send")
    words = [document["id"], document["created"], verb, document["state"], counts(document)]
    words += [json.dumps(document["to"])[:MAX_AUDIENCE], document.get("text", "")]
    return "  ".join(map(printable, words)).rstrip()


def details(document: Mapping[str, Any]) -> str:
    """Return all about a notification."""
    rows = [f"{document['id']}"]
    for name in ORDER:
        if name in document:
            value = document[name]
            text = value if isinstance(value, str) else json.dumps(value)
            rows.append(f"  {name:<10} {text}")
    rows.append(f"  {'who':<10} {counts(document)}")
    return "\n".join(map(printable, rows))


def recipient(document: Mapping[str, Any]) -> str:
    """Return what has become of one recipient."""
    who = document.get("user") or document.get("conversation") or document["recipient"]
    words = (document["state"], document.get("channel", "-"), who, document.get("reason", ""))
    return "  ".join(map(printable, words)).rstrip()


def printable(text: Any) -> str:
    """Return a text with what is no printable character escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
