"""What GET /api/health looks at: can the app reach what it depends on?"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from bot_logic.errors import ProactiveBotError
from bot_logic.single_flight import SingleFlight

CHECK_TIMEOUT: Final = 5.0  # seconds
KEPT_FOR: Final = 2.0  # seconds; anyone may ask, and asking must not become load on others

Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of each check: "reachable", or what is wrong."""

    checks: Mapping[str, str]

    @property
    def healthy(self) -> bool:
        """Whether all of them passed."""
        return all(outcome == "reachable" for outcome in self.checks.values())


class Health:
    """Runs all checks side by side, and not more often than every `KEPT_FOR` seconds."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._report = Report({})
        self._made_at = float("-inf")  # on the monotonic clock
        self._make_once = SingleFlight(self._make)  # however many ask

    async def report(self) -> Report:
        """The state of things now, or a moment ago."""
        if time.monotonic() - self._made_at > KEPT_FOR:
            await self._make_once()
        return self._report

    async def _make(self) -> None:
        outcomes = await asyncio.gather(*map(_outcome, self._checks.values()))
        self._report = Report(dict(zip(self._checks, outcomes, strict=True)))
        self._made_at = time.monotonic()


async def answers(session: aiohttp.ClientSession, url: str) -> None:
    """Check that a web server answers at all, whatever it says to a bare GET."""
    async with session.get(url, allow_redirects=False):
        return


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            await check()
    except (ProactiveBotError, aiohttp.ClientError, TimeoutError) as error:
        return f"unreachable: {type(error).__name__}"
    return "reachable"
