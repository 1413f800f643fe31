"""One deadline for a turn, known to everything that the turn waits for.

Whoever answers a request opens it; whoever may wait asks how much is left. It travels in a context
variable, as asyncio's own timeouts do, so that it goes down through the bot's code and the SDK's.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

_ends_at: ContextVar[float | None] = ContextVar("deadline", default=None)  # on the loop's clock


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Cancel what is inside after so many seconds, with a TimeoutError."""
    token = _ends_at.set(asyncio.get_running_loop().time() + seconds)
    try:
        async with asyncio.timeout(seconds):
            yield
    finally:
        _ends_at.reset(token)


@asynccontextmanager
async def within(seconds: float, *, leaving: float = 0) -> AsyncIterator[None]:
    """Cancel what is inside after so many seconds, or sooner, to leave that much of the deadline.

    Raises:
        TimeoutError: it took longer, or there was no time left.
    """
    ends_at = _ends_at.get()
    if ends_at is not None:
        left = ends_at - asyncio.get_running_loop().time() - leaving
        seconds = min(seconds, left)
    async with asyncio.timeout(max(seconds, 0)):
        yield


async def to_its_end(work: Coroutine[Any, Any, Any]) -> Any:
    """Await work that is finished even if the caller is cancelled meanwhile.

    A cancellation is raised when the work is done, not before: whoever is cancelled then knows what
    became of it. The work must have a time limit of its own.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen, or asyncio would complain that nobody did
        raise
