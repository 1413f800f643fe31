"""What is known of one host: whether it may be asked now, and how that changes with each answer."""

import asyncio
import heapq
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SLOW: Final = 2.0  # seconds after which a call counts as slow
PATIENCE: Final = 1.0  # seconds that a message waits for its turn

FIRST_INTERVAL: Final = 0.1  # seconds between two messages to a host that has just throttled
SLOWER: Final = 1.5  # times the interval, at each refusal
QUICKER: Final = 0.9  # times the interval, at each success: one refusal in ten slows nobody down
LATEST: Final = 0.1  # how much the latest answer says of a host
THROTTLES: Final = 0.25  # part of its answers that are refusals, from which a host is left alone
LONGEST_INTERVAL: Final = 2.0  # seconds
LONGEST_SPREAD: Final = 60.0  # seconds after which all who were turned away have come again
LONGEST_PAUSE: Final = 60.0  # seconds that growing adds up to; a host may ask for more

FAILURES: Final = 3  # in a row, of two messages at least, after which a host is taken to be down
PROBES: Final = 2  # calls under way at once to a host that is down
LONGEST_PROBE: Final = 10.0  # seconds between two probes
ROUND: Final = 0.04  # seconds for each message that waits for a host that is down
LONGEST_ROUND: Final = 3600.0  # seconds in which all who wait for it have come again


class Obstacle(StrEnum):
    """Why a host may not be asked now."""

    HANGS = "does not answer"
    SILENT = "has not answered yet"
    DOWN = "fails"
    THROTTLES = "asked to wait"


@dataclass(slots=True)
class Host:
    """One host; times are the clock's `elapsed`, in seconds."""

    paused_until: float = 0.0
    pauses_in_a_row: int = 0
    refusing: float = 0.0  # which part of its last ten answers or so were refusals
    interval: float = 0.0  # between two messages; 0 while it takes all
    next_turn: float = 0.0
    failures_in_a_row: int = 0
    failed_messages: set[str] = field(default_factory=set)  # two at most
    answered_at: float = -math.inf
    answers: asyncio.Event = field(default_factory=asyncio.Event)  # a new one for each answer
    under_way: dict[int, float] = field(default_factory=dict)
    _returns: list[float] = field(default_factory=list)  # of those turned away; a heap

    @property
    def is_down(self) -> bool:
        """Tell whether it fails for everyone, and not for one message only."""
        return self.failures_in_a_row >= FAILURES and len(self.failed_messages) > 1

    def obstacle(self, now: float, max_slow: float) -> Obstacle | None:
        """Return why it may not be asked now, or in a moment; None if it may."""
        if self.is_down and (self.paused_until > now or len(self.under_way) >= PROBES):
            return Obstacle.DOWN
        if sum(now - since > SLOW for since in self.under_way.values()) >= max_slow:
            return Obstacle.HANGS
        if len(self.under_way) >= max_slow and now - self.answered_at > SLOW:
            return Obstacle.SILENT
        if max(self.paused_until, self.next_turn - PATIENCE) > now:
            return Obstacle.THROTTLES
        return None

    def take_turn(self, now: float) -> float:
        """Take the next turn; return how many seconds it is off."""
        if not self.interval:
            return 0
        turn = max(self.next_turn, now)
        self.next_turn = turn + self.interval
        return turn - now

    def succeeds(self, now: float) -> None:
        """Learn that it has taken a message; if it was down, one more failure is enough again."""
        self.pauses_in_a_row = 0
        self.failures_in_a_row = FAILURES - 1 if self.is_down else 0
        if not self.failures_in_a_row:
            self.failed_messages.clear()
        self.answered_at = now
        self.answers.set()
        self.answers = asyncio.Event()
        self.refusing *= 1 - LATEST
        self.interval *= QUICKER if self.interval > FIRST_INTERVAL / 2 else 0

    def refuses(self, now: float, asked: int) -> None:
        """Learn that it asked us to wait for so many seconds."""
        self.refusing += (1 - self.refusing) * LATEST
        alone = self.refusing < THROTTLES  # a refusal now and then is this message's own affair
        if alone or self.paused_until > now:  # or others have just been told the same
            return
        self.interval = min(max(self.interval * SLOWER, FIRST_INTERVAL), LONGEST_INTERVAL)
        self.paused_until = self.next_turn = now + max(asked, self._growing(LONGEST_PAUSE))

    def fails(self, now: float, message: str) -> None:
        """Learn that it has failed, whatever asked for what."""
        self.failures_in_a_row += 1
        if len(self.failed_messages) < 2:  # noqa: PLR2004 - two tell that it is not the message
            self.failed_messages.add(message)
        if self.is_down and self.paused_until <= now:
            self.paused_until = now + self._growing(LONGEST_PROBE)

    def _growing(self, longest: float) -> float:
        pause = min(0.5 * 2.0 ** min(self.pauses_in_a_row, 10), longest)
        self.pauses_in_a_row += 1
        return pause

    def waiting(self, now: float) -> int:
        """Return how many were turned away and have not come again."""
        while self._returns and self._returns[0] <= now:
            heapq.heappop(self._returns)
        return len(self._returns)

    def will_return(self, at: float) -> None:
        """Learn when somebody who was turned away comes again."""
        heapq.heappush(self._returns, at)
