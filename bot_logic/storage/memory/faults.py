"""How a double is told to misbehave at a chosen call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

ALWAYS: Final = -1


@dataclass(slots=True)
class Fault:
    """What goes wrong, at which call and how often.

    Attributes:
        call: its name, such as "queue.put" or "table.insert"; "" means every call.
        error: raised by the call; None if it only is slow.
        after: whether the call does its work before `error` is raised, as when an answer is lost.
        delay: seconds that pass first.
        hangs: whether the call never ends.
        times: how many calls it meets; `ALWAYS` for all.
        met: how many it has met.
    """

    call: str
    error: Exception | None = None
    after: bool = False
    delay: float = 0
    hangs: bool = False
    times: int = ALWAYS
    met: int = 0


@dataclass(slots=True)
class Faults:
    """The faults of a double, in the order in which they are tried."""

    faults: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        """Let `fault` happen from now on."""
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything work again."""
        self.faults.clear()

    @asynccontextmanager
    async def around(self, call: str) -> AsyncIterator[None]:
        """Surround a call's work with what is to go wrong at it."""
        fault = self._next(call)
        if fault is None:
            yield
            return
        if fault.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(fault.delay)
        if fault.error is not None and not fault.after:
            raise fault.error
        yield
        if fault.error is not None:
            raise fault.error

    def _next(self, call: str) -> Fault | None:
        for fault in self.faults:
            if fault.call in ("", call) and fault.met != fault.times:
                fault.met += 1
                return fault
        return None
