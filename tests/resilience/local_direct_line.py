"""A client of the local Direct Line, for tests: what users call, and what only tests may."""

from collections import defaultdict
from datetime import datetime
from typing import Any

import aiohttp

from local_dev import settings_file
from tests.expected import proactive_pattern

CONVERSATIONS = "/v3/directline/conversations"


class LocalDirectLine:
    """Calls the local Direct Line with its secret."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base
        self._headers = {"Authorization": f"Bearer {settings_file.read()['DirectLineSecret']}"}

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON and return the JSON answer.

        Raises:
            aiohttp.ClientError: the answer is no success, or there is none.
        """
        url, headers = self._base + path, self._headers
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def delivered(self) -> dict[str, list[datetime]]:
        """Return what the bot has said by itself, and when, however often."""
        times, said = defaultdict(list), await proactive_pattern()
        for conversation in await self.call("GET", "/local/conversations"):
            for activity in conversation["activities"]:
                if found := said.fullmatch(activity.get("text", "")):
                    times[found[1]].append(datetime.fromisoformat(activity["timestamp"]))
        return times
