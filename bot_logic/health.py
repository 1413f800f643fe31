"""What GET /api/health looks at: can the app reach what it depends on?

It looks and creates nothing, so that it works for an identity that may only read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from bot_logic.clock import Clock
from bot_logic.errors import ProactiveBotError
from bot_logic.single_flight import SingleFlight

CHECK_TIMEOUT: Final = 5.0  # seconds
PASSED_FOR: Final = 60.0  # seconds for which a secret that was accepted counts as right
KEPT_FOR: Final = 2.0  # seconds; anyone may ask, and asking must not become load on others

Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of each check: "reachable", or what is wrong."""

    checks: Mapping[str, str]

    @property
    def healthy(self) -> bool:
        """Tell whether all of them passed."""
        return all(outcome == "reachable" for outcome in self.checks.values())


class Health:
    """Runs all checks side by side, and not more often than every `KEPT_FOR` seconds."""

    def __init__(
        self, checks: Mapping[str, Check], clock: Clock, *, patience: float = CHECK_TIMEOUT
    ) -> None:
        self._checks = checks
        self._clock = clock
        self._patience = patience
        self._report = Report({})
        self._made_at = float("-inf")  # as the clock's `elapsed`
        self._make_once = SingleFlight(self._make)  # however many ask

    async def report(self) -> Report:
        """Return the state of things now, or a moment ago."""
        if self._clock.elapsed() - self._made_at > KEPT_FOR:
            await self._make_once()
        return self._report

    async def _make(self) -> None:
        outcomes = await asyncio.gather(*map(self._outcome, self._checks.values()))
        self._report = Report(dict(zip(self._checks, outcomes, strict=True)))
        self._made_at = self._clock.elapsed()

    async def _outcome(self, check: Check) -> str:
        try:
            async with asyncio.timeout(self._patience):
                await check()
        except (ProactiveBotError, aiohttp.ClientError, TimeoutError) as error:
            return f"unreachable: {type(error).__name__}"
        return "reachable"


class Seldom:
    """A check that is not repeated for a while once it has passed, as it costs others something."""

    def __init__(self, check: Check, clock: Clock, *, passed_for: float = PASSED_FOR) -> None:
        self._check = check
        self._clock = clock
        self._passed_for = passed_for
        self._again_at = float("-inf")  # as the clock's `elapsed`

    async def __call__(self) -> None:
        """Check, unless it passed a short time ago; raise what the check raises."""
        if self._clock.elapsed() < self._again_at:
            return
        await self._check()
        self._again_at = self._clock.elapsed() + self._passed_for


async def answers(session: aiohttp.ClientSession, url: str) -> None:
    """Check that a web server answers at all, whatever it says to a bare GET."""
    async with session.get(url, allow_redirects=False):
        return
