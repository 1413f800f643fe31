"""Direct Line 3.0, as far as the worker needs it: one conversation, and events posted in it.

The only module that knows Direct Line's URLs.
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-direct-line-3-0-api-reference
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from bot_logic.errors import (
    AskedToWait,
    BotFailed,
    DirectLineDown,
    ProactiveBotError,
    Refused,
)
from bot_logic.outgoing import error_code, json_or_none, retry_after
from bot_logic.secret import Secret
from bot_logic.single_flight import SingleFlight

# The service itself waits 15 seconds for the bot; a little more, so that its answer is heard.
CALL_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)  # seconds
_NEVER: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_OF_THE_BOT: Final = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
_RENEW: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN)


class _ConversationLost(DirectLineDown):
    """Direct Line no longer takes posts in this conversation; another one may do."""


class DirectLine:
    """Posts activities to the bot as one Direct Line user, in a conversation it keeps."""

    def __init__(
        self, session: aiohttp.ClientSession, endpoint: str, secret: Secret, *, user_id: str
    ) -> None:
        self._session = session
        self._base = f"{endpoint}/v3/directline"
        self._secret = secret
        self._user_id = user_id
        self._conversation_id = ""
        self._start_once = SingleFlight(self._start)  # however many messages wait for it

    async def check(self) -> None:
        """Ask whether Direct Line accepts the secret; no conversation starts by it.

        A token that nobody uses is the least that a secret is good for.
        https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-direct-line-3-0-authentication#generate-a-direct-line-token

        Raises:
            DirectLineDown: it does not, or it failed, or could not be reached.
            AskedToWait: it is throttling.
            Refused: it does not take such requests.
        """
        await self._call("/tokens/generate", {"user": {"id": self._user_id}})

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        """Post an activity and wait until the bot has handled it.

        A conversation that the service has given up (404, 403) is replaced by a new one, once.

        Args:
            activity_for: makes the activity for the conversation with this id.

        Raises:
            DirectLineDown: it failed, or could not be reached.
            BotFailed: it says that the bot failed, or was slow. In both cases the bot may have
                done its work all the same.
            AskedToWait: it is throttling.
            Refused: Direct Line will never take this activity.
        """
        conversation_id = await self._conversation()
        try:
            await self._post(conversation_id, activity_for(conversation_id), lost=_ConversationLost)
        except _ConversationLost:
            conversation_id = await self._conversation(instead_of=conversation_id)
            await self._post(conversation_id, activity_for(conversation_id))

    async def _conversation(self, instead_of: str | None = None) -> str:
        if self._conversation_id in ("", instead_of):
            await self._start_once()
        return self._conversation_id

    async def _start(self) -> None:
        body = await self._call("/conversations", {"user": {"id": self._user_id}})
        conversation_id = body.get("conversationId") if isinstance(body, dict) else None
        if not isinstance(conversation_id, str) or not conversation_id:
            raise DirectLineDown("Direct Line started a conversation without an id")
        self._conversation_id = conversation_id

    async def _post(
        self,
        conversation_id: str,
        activity: dict[str, Any],
        lost: type[DirectLineDown] = DirectLineDown,
    ) -> None:
        path = f"/conversations/{quote(conversation_id, safe='')}/activities"
        await self._call(path, {"from": {"id": self._user_id}} | activity, lost)

    async def _call(
        self, path: str, body: dict[str, Any], lost: type[DirectLineDown] = DirectLineDown
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._secret.reveal()}"}
        try:
            async with self._session.post(
                self._base + path,
                json=body,
                headers=headers,
                timeout=CALL_TIMEOUT,
                allow_redirects=False,  # the secret goes to this address and no other
            ) as response:
                if response.status < HTTPStatus.MULTIPLE_CHOICES:
                    return await json_or_none(response)  # 2xx means taken, whatever it says
                raise await _error(response, lost)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DirectLineDown(f"Direct Line: {type(error).__name__}") from error


async def _error(response: aiohttp.ClientResponse, lost: type[DirectLineDown]) -> ProactiveBotError:
    code = error_code(await json_or_none(response))
    what = f"Direct Line answered {response.status} {code}".rstrip()
    if response.status in _NEVER:
        return Refused(what)
    if response.status in _RENEW:
        return lost(what)
    wait = retry_after(response.headers)
    if response.status == HTTPStatus.TOO_MANY_REQUESTS or wait is not None:
        return AskedToWait(what, retry_after=wait)
    return (BotFailed if response.status in _OF_THE_BOT else DirectLineDown)(what)
