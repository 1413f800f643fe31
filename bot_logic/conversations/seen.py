"""What this process remembers of the references that it has stored or read a moment ago."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot_logic.clock import Clock

KNOWN_FOR: Final = 300  # seconds in which a reference seen here is not written again
MAX_KNOWN: Final = 10_000  # conversations remembered in memory, about 2 MB


class Whereabouts(NamedTuple):
    """What a message to a conversation has to know.

    Attributes:
        service_url: that was last heard from there; "" if the conversation is not stored.
        forgotten_at: Unix time, seconds; what was made until then is not sent there any more.
    """

    service_url: str
    forgotten_at: float


class _Seen(NamedTuple):
    digest: str
    whereabouts: Whereabouts
    since: float  # as the clock's `elapsed`


class SeenReferences:
    """References by the names of their conversations, the latest few thousand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, _Seen] = OrderedDict()

    def has(self, name: str, reference: Mapping[str, Any]) -> bool:
        """Tell whether just this reference was seen a moment ago."""
        seen = self._of(name)
        return seen is not None and seen.digest == _digest(reference)

    def whereabouts(self, name: str) -> Whereabouts | None:
        """Return where a conversation was seen a moment ago, or None."""
        seen = self._of(name)
        return None if seen is None else seen.whereabouts

    def note(self, name: str, reference: Mapping[str, Any], forgotten_at: float) -> None:
        """Remember a reference, and until when it was forgotten, as the table has it now."""
        whereabouts = Whereabouts(reference["serviceUrl"], forgotten_at)
        self._known[name] = _Seen(_digest(reference), whereabouts, self._clock.elapsed())
        self._known.move_to_end(name)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forget a conversation's, so that whatever comes next from there is written."""
        self._known.pop(name, None)

    def _of(self, name: str) -> _Seen | None:
        seen = self._known.get(name)
        is_new = seen is not None and self._clock.elapsed() - seen.since < KNOWN_FOR
        return seen if is_new else None


def _digest(reference: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(reference, sort_keys=True).encode()).hexdigest()
