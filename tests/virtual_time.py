"""An event loop whose clock jumps: what waits an hour in the code waits no time in the test."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from bot_logic.testing import ManualClock

T = TypeVar("T")


class NothingWillHappen(RuntimeError):
    """Everybody waits, and nobody for a point in time: a deadlock."""


class _JumpingSelector(selectors.DefaultSelector):
    """Where a loop would wait for its next timer, time jumps there."""

    jumped = 0.0  # seconds

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise NothingWillHappen
            self.jumped += max(timeout, 0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that starts at 0 seconds and does no real waiting; for code without real I/O."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that have passed on this loop."""
        return self._jumping.jumped


class LoopClock(ManualClock):
    """A clock that goes with the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: float = 1_800_000_000) -> None:
        super().__init__(start)
        self._loop, self._start = loop, start

    def now(self) -> float:
        return self._start + self._loop.time()

    def elapsed(self) -> float:
        return self._loop.time()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
