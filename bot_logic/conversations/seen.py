"""What this process remembers of the references that it has stored or read a moment ago."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot_logic.clock import Clock

KNOWN_FOR: Final = 300  # seconds in which a reference seen here is not written again
MAX_KNOWN: Final = 10_000  # conversations remembered in memory, about 2 MB


class _Seen(NamedTuple):
    digest: str
    service_url: str
    since: float  # as the clock's `elapsed`


_NOT_SEEN: Final = _Seen("", "", float("-inf"))


class SeenReferences:
    """References by the names of their conversations, the latest few thousand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, _Seen] = OrderedDict()

    def has(self, name: str, reference: Mapping[str, Any]) -> bool:
        """Tell whether just this reference was seen a moment ago."""
        return self._of(name).digest == _digest(reference)

    def service_url(self, name: str) -> str:
        """Return the service URL that was seen a moment ago, or ""."""
        return self._of(name).service_url

    def note(self, name: str, reference: Mapping[str, Any]) -> None:
        """Remember a reference as it stands in the table now."""
        now = self._clock.elapsed()
        self._known[name] = _Seen(_digest(reference), reference["serviceUrl"], now)
        self._known.move_to_end(name)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forget a conversation's, so that whatever comes next from there is written."""
        self._known.pop(name, None)

    def _of(self, name: str) -> _Seen:
        seen = self._known.get(name, _NOT_SEEN)
        return seen if self._clock.elapsed() - seen.since < KNOWN_FOR else _NOT_SEEN


def _digest(reference: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(reference, sort_keys=True).encode()).hexdigest()
