"""Sends activities to the bot, as the channel does."""

import asyncio
import logging
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp

from local_dev.direct_line.signing import SigningKey
from local_dev.direct_line.wire import ApiError, JsonObject

logger = logging.getLogger(__name__)

BOT_TIMEOUT = 15.0  # seconds; the published limit of the real service
BOT_WAIT = 600.0  # seconds a conversationUpdate is held for a bot that is not up yet
PAUSE = 0.5  # seconds between two tries of what is held


class BotError(ApiError):
    """The bot did not take an activity."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, "BotError", f"Failed to send activity: {reason}")


class BotAbsent(BotError):
    """Nobody listens where the bot should be, so it has seen nothing of the activity."""


class BotClient:
    """The way to the bot, open within ``async with``.

    Args:
        url: The bot's messaging endpoint; may be changed while running.
        app_id: The bot's app id. Requests are signed if it is not empty.
        service_url: What the signature says this service's URL is.
        timeout: How long the bot may take for one activity, in seconds.
        wait: How long an activity is held for a bot that is not up yet, in seconds.
    """

    def __init__(
        self, url: str, app_id: str, service_url: str, timeout: float, wait: float
    ) -> None:
        self.url = url
        self._app_id = app_id
        self._service_url = service_url
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._wait = wait
        self._key: SigningKey | None = None
        self._pending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0)  # a slow bot must not hold up other users
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        await self._session.close()

    @property
    def signing_key(self) -> SigningKey:
        """The current key; made when first asked for, as that takes a moment."""
        if self._key is None:
            self._key = SigningKey()
        return self._key

    def rotate_signing_key(self) -> None:
        """Sign with a new key from now on, and publish only that."""
        self._key = None

    async def send(self, activity: JsonObject) -> None:
        """Give the bot an activity and wait until it is done with it.

        Raises:
            BotAbsent: 502, nobody listens there.
            BotError: 502 if the bot failed, 504 if it was slow.
        """
        try:
            status = await self._post(activity)
        except TimeoutError:
            raise BotError(504, "bot timed out") from None
        except aiohttp.ClientConnectorError as error:
            raise BotAbsent(502, f"bot is not there ({type(error).__name__})") from None
        except aiohttp.ClientError as error:
            raise BotError(502, f"bot is not reachable ({type(error).__name__})") from None
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise BotError(502, f"bot returned an error (HTTP {status})")

    def send_later(self, activity: JsonObject) -> asyncio.Task[None]:
        """Give the bot an activity once it is up; a failure is only logged. Nobody need wait."""
        task = asyncio.create_task(self._send_and_log(activity))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return task

    async def _send_and_log(self, activity: JsonObject) -> None:
        try:
            await self._send_once_there(activity)
        except ApiError as error:
            logger.warning("%s not delivered: %s", activity["type"], error)

    async def _send_once_there(self, activity: JsonObject) -> None:
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._wait
        while clock() < give_up:
            with suppress(BotAbsent):
                await self.send(activity)
                return
            await asyncio.sleep(PAUSE)
        await self.send(activity)

    async def _post(self, activity: JsonObject) -> int:
        headers = {}
        if self._app_id:
            token = self.signing_key.bearer(self._app_id, self._service_url)
            headers["Authorization"] = f"Bearer {token}"
        async with self._session.post(
            self.url, json=activity, headers=headers, allow_redirects=False
        ) as response:
            await response.read()
            return response.status
