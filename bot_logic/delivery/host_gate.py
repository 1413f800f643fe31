"""A gate in front of each host: one that asks us to wait, fails or hangs is not asked by everyone.

What one message learns about a host holds for all others to the same host, in this process. A host
that throttles is left alone for as long as it said, longer if it goes on; then messages go to it
one after the other, at a pace that is slowed by each refusal and quickened by each success. A host
that fails for everyone is asked by a few at a time, until one succeeds. Whoever would have to wait
for long is turned away, with a time of its own to come again. A host that hangs holds some of the
places that the queue worker has, and never all of them: until it has answered one, it is asked by
some only.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from bot_logic.clock import Chance, Clock
from bot_logic.delivery.host import (
    FIRST_INTERVAL,
    LONGEST_ROUND,
    LONGEST_SPREAD,
    ROUND,
    Host,
    Obstacle,
)
from bot_logic.errors import AskedInVain, AskedToWait, HostDown, ServiceUnavailable, TurnedAway

MAX_SLOW: Final = 8  # slow calls under way at once to one host; host.json lets 24 messages in
MAX_HOSTS: Final = 256  # remembered
A_MOMENT: Final = 0.1  # seconds
FIRST_ANSWER: Final = 0.5  # seconds that others wait for the first answers of a silent host


class HostGate:
    """Lets calls to a host through, or turns them away."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        self._clock = clock
        self._chance = chance
        self._hosts: dict[str, Host] = {}
        self._calls = 0

    @asynccontextmanager
    async def through(
        self,
        name: str,
        message: str,
        *,
        fails: type[ServiceUnavailable] = ServiceUnavailable,
        max_slow: float = MAX_SLOW,
        hold: float = 0,
    ) -> AsyncIterator[None]:
        """Surround a call to the host of this name, and learn from how it goes.

        Args:
            name: the host's.
            message: the key of the message that makes the call.
            fails: what the call raises when it is this host that fails.
            max_slow: slow calls under way at once.
            hold: seconds for which a message waits here for a host that fails.

        Raises:
            TurnedAway: the host was not asked.
            AskedInVain: it fails for every message, so this one is not to blame.
            AskedToWait: it has just asked us to wait.
        """
        host = self._host(name)
        await self._turn(name, host, max_slow, hold)
        self._calls += 1
        call = self._calls
        host.under_way[call] = self._clock.elapsed()
        try:
            yield
        except TurnedAway:
            raise
        except AskedToWait as error:
            host.refuses(self._clock.elapsed(), error.retry_after or 0)
            raise
        except fails as error:
            host.fails(self._clock.elapsed(), message)
            if not host.is_down:
                raise
            wait = self._comes_again(host, Obstacle.DOWN)
            raise AskedInVain(str(error), retry_after=wait) from error
        else:
            host.succeeds(self._clock.elapsed())
        finally:
            del host.under_way[call]

    def check(self, name: str, *, max_slow: float = MAX_SLOW) -> None:
        """Let pass what may ask this host now, or in a moment.

        Raises:
            TurnedAway: it may not; `retry_after` is a time of its own for each who asks.
        """
        host = self._host(name)
        obstacle = host.obstacle(self._clock.elapsed(), max_slow)
        if obstacle not in (None, Obstacle.SILENT):  # an answer may be there in a moment
            raise self._turned_away(name, host, obstacle)

    async def _turn(self, name: str, host: Host, max_slow: float, hold: float) -> None:
        """Wait for this message's turn, which comes soon."""
        await self._wait_while(Obstacle.DOWN, host, max_slow, hold)
        await self._wait_while(Obstacle.SILENT, host, max_slow, FIRST_ANSWER)
        if obstacle := host.obstacle(self._clock.elapsed(), max_slow):
            raise self._turned_away(name, host, obstacle)
        now = self._clock.elapsed()
        if pause := host.take_turn(now):
            await asyncio.sleep(pause)
            if host.paused_until > self._clock.elapsed():  # somebody before us was refused
                raise self._turned_away(name, host, Obstacle.THROTTLES)

    async def _wait_while(
        self, obstacle: Obstacle, host: Host, max_slow: float, longest: float
    ) -> None:
        if longest and host.obstacle(self._clock.elapsed(), max_slow) == obstacle:
            with suppress(TimeoutError):
                async with asyncio.timeout(longest):
                    while host.obstacle(self._clock.elapsed(), max_slow) == obstacle:
                        await self._change(host)

    async def _change(self, host: Host) -> None:
        """Wait until a host may be asked again: it has answered, or a probe is due."""
        pause = max(host.paused_until - self._clock.elapsed(), A_MOMENT)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await host.answers.wait()

    def _turned_away(self, name: str, host: Host, obstacle: Obstacle) -> TurnedAway:
        error = HostDown if obstacle == Obstacle.DOWN else TurnedAway
        return error(f"{name} {obstacle}", retry_after=self._comes_again(host, obstacle))

    def _comes_again(self, host: Host, obstacle: Obstacle) -> int:
        """Return in how many seconds to come again: spread over the time that all will take."""
        now = self._clock.elapsed()
        waiting = host.waiting(now) + 1
        if obstacle == Obstacle.DOWN:  # in the second half of the round, which then ends for all
            spread = min(waiting * ROUND, LONGEST_ROUND) * (0.5 + 0.5 * self._chance.fraction())
            comes_again = now + max(spread, 1)
        else:
            spread = min(waiting * max(host.interval, FIRST_INTERVAL), LONGEST_SPREAD)
            soonest = max(host.paused_until, host.next_turn, now)
            comes_again = soonest + spread * self._chance.fraction()
        host.will_return(comes_again)
        return math.ceil(comes_again - now)

    def _host(self, name: str) -> Host:
        if name not in self._hosts and len(self._hosts) >= MAX_HOSTS:
            idle = next((n for n, h in self._hosts.items() if not h.under_way), None)
            self._hosts.pop(idle or "", None)
        return self._hosts.setdefault(name, Host())
