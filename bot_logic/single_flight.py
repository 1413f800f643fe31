"""One call under way at a time, shared by all who want its result.

Where many turns wait for the same thing (a token, the signing keys, a conversation), one fetches it
and the others await that very fetch. With a lock they would queue up instead, and wait for the
timeout of a dead dependency one after the other.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class SingleFlight:
    """Runs one piece of work, for itself and for everyone who asks while it runs."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._under_way: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> bool:
        """Whether the work is being done just now."""
        return self._under_way is not None and not self._under_way.done()

    async def __call__(self) -> None:
        """Start the work, or join it if it is under way; raises what the work raises.

        Being cancelled leaves the work to those who still wait for it.
        """
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._work())
            self._under_way.add_done_callback(_note_failure)
        await asyncio.shield(self._under_way)


def _note_failure(task: asyncio.Task[None]) -> None:
    """Look at a failure that nobody may be left to see, or asyncio would complain of it."""
    if not task.cancelled():
        task.exception()
