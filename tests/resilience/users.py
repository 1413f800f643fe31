"""Users who say what they have to say until the bot acknowledges it."""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import count

import aiohttp

from tests.expected import acknowledgement_pattern
from tests.resilience.local_direct_line import CONVERSATIONS, LocalDirectLine

PATIENCE = 5.0  # seconds in which a user wants to see the acknowledgement


class User:
    """Somebody who talks to the bot.

    Attributes:
        said: all words, with those that were never acknowledged.
    """

    def __init__(self, direct_line: LocalDirectLine, name: str) -> None:
        self._direct_line, self._name = direct_line, name
        self.said: list[str] = []

    async def talk(self, texts: Sequence[str]) -> list[str]:
        """Say all of it, one after the other; return the words that were acknowledged."""
        started = await self._direct_line.call("POST", CONVERSATIONS, {"user": {"id": self._name}})
        activities = f"{CONVERSATIONS}/{started['conversationId']}/activities"
        return [await self._say(activities, text) for text in texts]

    async def _say(self, activities: str, text: str) -> str:
        for attempt in count():
            words = f"{text}, attempt {attempt}"
            self.said.append(words)
            message = {"type": "message", "from": {"id": self._name}, "text": words}
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._direct_line.call("POST", activities, message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._acknowledgement(activities, words)
                    return words
        raise AssertionError("count() never ends")

    async def _acknowledgement(self, activities: str, words: str) -> None:
        answer = await acknowledgement_pattern()
        while True:
            seen = (await self._direct_line.call("GET", activities))["activities"]
            found = [answer.fullmatch(each.get("text", "")) for each in seen]
            if any(each is not None and each[1] == words for each in found):
                return
            await asyncio.sleep(0.5)
