"""How many requests a sliding second may hold. Pure; times are handed in.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Final

OVERALL: Final = 50  # requests a second, for each app and tenant
PER_CONVERSATION: Final = 7  # requests a second
SECOND: Final = 1.0


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that one more request would exceed.

    Attributes:
        limit: "overall" or "conversation".
        wait: seconds until there is room again.
    """

    limit: str
    wait: float


class Window:
    """The requests of the last second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Return how many seconds it takes until one more has room; 0 if it has now."""
        self._forget(now)
        if len(self._taken) < self._most:
            return 0.0
        return self._taken[-self._most] + SECOND - now

    def take(self, now: float) -> int:
        """Count one, and return how many the second that ends now holds."""
        self._forget(now)
        self._taken.append(now)
        return len(self._taken)

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0] <= now - SECOND:
            self._taken.popleft()


class Limits:
    """Teams' two limits: on all that a bot asks, and on what it asks of one conversation.

    Attributes:
        busiest: the most requests that came in any second, those above a limit among them.
    """

    def __init__(self, overall: int = OVERALL, per_conversation: int = PER_CONVERSATION) -> None:
        self.busiest = 0
        self._all = Window(overall)
        self._overall = Window(overall)
        self._conversations = defaultdict[str, Window](lambda: Window(per_conversation))

    def judge(self, conversation: str, now: float) -> Exceeded | None:
        """Count a request, or say which limit it exceeds; then it takes no room."""
        self.busiest = max(self.busiest, self._all.take(now))
        if wait := self._overall.wait(now):
            return Exceeded("overall", wait)
        if wait := self._conversations[conversation].wait(now):
            return Exceeded("conversation", wait)
        self._overall.take(now)
        self._conversations[conversation].take(now)
        return None
