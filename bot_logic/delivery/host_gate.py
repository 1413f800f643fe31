"""A gate in front of each host: one that asks us to wait, or hangs, is not asked by everyone.

What one message learns about a host holds for all others to the same host, in this process. A host
that throttles is left alone for as long as it said, longer if it goes on; then messages go to it
one after the other, at a pace that is slowed by each refusal and quickened by each success. Whoever
would have to wait for long is turned away, with a time of its own to come again. A host that hangs
holds some of the places that the queue worker has, and never all of them.
"""

import asyncio
import heapq
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from bot_logic.clock import Chance, Clock
from bot_logic.errors import AskedToWait

SLOW: Final = 2.0  # seconds after which a call counts as slow
MAX_SLOW: Final = 8  # slow calls under way at once to one host; host.json lets 24 messages in
PATIENCE: Final = 1.0  # seconds that a message waits here for its turn
FIRST_INTERVAL: Final = 0.1  # seconds between two messages to a host that has just throttled
SLOWER: Final = 1.5  # times the interval, at each refusal
QUICKER: Final = 0.9  # times the interval, at each success: one refusal in ten slows nobody down
LATEST: Final = 0.1  # how much the latest answer says of a host
THROTTLES: Final = 0.25  # part of its answers that are refusals, from which a host is left alone
LONGEST_INTERVAL: Final = 2.0  # seconds
LONGEST_SPREAD: Final = 60.0  # seconds after which all who were turned away have come again
LONGEST_PAUSE: Final = 60.0  # seconds that growing adds up to; a host may ask for more
MAX_HOSTS: Final = 256  # remembered


@dataclass(slots=True)
class _Host:
    """What is known of one host; times are the clock's `elapsed`, in seconds."""

    paused_until: float = 0.0
    pauses_in_a_row: int = 0
    refusing: float = 0.0  # which part of its last ten answers or so were refusals
    interval: float = 0.0  # between two messages; 0 while it takes all
    next_turn: float = 0.0
    returns: list[float] = field(default_factory=list)  # of those turned away; a heap
    under_way: dict[int, float] = field(default_factory=dict)


class HostGate:
    """Lets calls to a host through, or turns them away."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        self._clock = clock
        self._chance = chance
        self._hosts: dict[str, _Host] = {}
        self._calls = 0

    @asynccontextmanager
    async def through(self, name: str, *, max_slow: float = MAX_SLOW) -> AsyncIterator[None]:
        """Surround a call to the host of this name, and learn from how it goes.

        Args:
            name: the host's.
            max_slow: slow calls under way at once.

        Raises:
            AskedToWait: the host is not asked now; or it has just asked us to wait.
        """
        await self._turn(name, max_slow)
        host = self._host(name)
        self._calls += 1
        call = self._calls
        host.under_way[call] = self._clock.elapsed()
        try:
            yield
        except AskedToWait as error:
            self._pause(host, error.retry_after or 0)
            raise
        else:
            host.pauses_in_a_row = 0
            host.refusing *= 1 - LATEST
            host.interval *= QUICKER if host.interval > FIRST_INTERVAL / 2 else 0
        finally:
            del host.under_way[call]

    def check(self, name: str, *, max_slow: float = MAX_SLOW) -> None:
        """Let pass what may ask this host now, or in a moment.

        Raises:
            AskedToWait: it may not; `retry_after` is a time of its own for each who asks.
        """
        host, now = self._host(name), self._clock.elapsed()
        if sum(now - since > SLOW for since in host.under_way.values()) >= max_slow:
            raise self._turned_away(host, now, f"{name} does not answer")
        if max(host.paused_until, host.next_turn - PATIENCE) > now:
            raise self._turned_away(host, now, f"{name} asked to wait")

    async def _turn(self, name: str, max_slow: float) -> None:
        """Wait for this message's turn, which comes soon."""
        self.check(name, max_slow=max_slow)
        host, now = self._host(name), self._clock.elapsed()
        if not host.interval:
            return
        turn = max(host.next_turn, now)
        host.next_turn = turn + host.interval
        await asyncio.sleep(turn - now)
        if host.paused_until > self._clock.elapsed():  # somebody before us was refused
            raise self._turned_away(host, self._clock.elapsed(), f"{name} asked to wait")

    def _turned_away(self, host: _Host, now: float, what: str) -> AskedToWait:
        """Make the error that says when to come again: spread over the time that all will take."""
        while host.returns and host.returns[0] <= now:
            heapq.heappop(host.returns)
        soonest = max(host.paused_until, host.next_turn, now)
        spread = (len(host.returns) + 1) * max(host.interval, FIRST_INTERVAL)
        comes_again = soonest + min(spread, LONGEST_SPREAD) * self._chance.fraction()
        heapq.heappush(host.returns, comes_again)
        return AskedToWait(what, retry_after=math.ceil(comes_again - now))

    def _pause(self, host: _Host, asked: int) -> None:
        now = self._clock.elapsed()
        host.refusing += (1 - host.refusing) * LATEST
        alone = host.refusing < THROTTLES  # a refusal now and then is this message's own affair
        if alone or host.paused_until > now:  # or others have just been told the same
            return
        growing = min(0.5 * 2.0 ** min(host.pauses_in_a_row, 10), LONGEST_PAUSE)
        host.pauses_in_a_row += 1
        host.interval = min(max(host.interval * SLOWER, FIRST_INTERVAL), LONGEST_INTERVAL)
        host.paused_until = host.next_turn = now + max(asked, growing)

    def _host(self, name: str) -> _Host:
        if name not in self._hosts and len(self._hosts) >= MAX_HOSTS:
            idle = next((n for n, h in self._hosts.items() if not h.under_way), None)
            self._hosts.pop(idle or "", None)
        return self._hosts.setdefault(name, _Host())
