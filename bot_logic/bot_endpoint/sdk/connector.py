"""The Bot Connector client: asynchronous, pooled, with a timeout on every call.

It stands where the SDK's own client would (`turn_state["ConnectorClient"]`), which is built anew
for each turn and sends on threads.
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
from botbuilder.schema import (
    Activity,
    ChannelAccount,
    ConversationParameters,
    ConversationResourceResponse,
    ResourceResponse,
)
from botframework.connector.auth import ConnectorFactory
from msrest.serialization import Model
from yarl import URL

from bot_logic.addresses import ServiceUrls
from bot_logic.bot_endpoint.sdk.credentials import Credentials
from bot_logic.bot_endpoint.sdk.model_json import Malformed, read, write
from bot_logic.bot_endpoint.sdk.refusals import meaning_at_creation, meaning_of
from bot_logic.errors import ProactiveBotError, Refused, ServiceUnavailable
from bot_logic.outgoing import error_code, json_or_none, retry_after
from bot_logic.telemetry import OFF, Telemetry
from bot_logic.telemetry.names import CALL_CHANNEL, HOST, METHOD

MAX_CHANNELS: Final = 256  # whose clients are kept; most bots meet a handful
CALL_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)  # seconds

Meaning = Callable[[int, str, int | None], ProactiveBotError]  # of status, code, seconds to wait


class Connector:
    """Sends activities to one channel, at its service URL."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        service_url: str,
        telemetry: Telemetry = OFF,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._base = f"{service_url.rstrip('/')}/v3/conversations"
        self._host = urlsplit(service_url).hostname or ""
        self._telemetry = telemetry

    @property
    def conversations(self) -> "Connector":
        """Itself: the SDK keeps these operations one level further down."""
        return self

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        """Send an activity to a conversation."""
        path = f"/{_quoted(conversation_id)}/activities"
        return _resource(await self._call("POST", path, write(activity)))

    async def reply_to_activity(
        self, conversation_id: str, activity_id: str, activity: Activity
    ) -> ResourceResponse:
        """Send an activity as the answer to another."""
        path = f"/{_quoted(conversation_id)}/activities/{_quoted(activity_id)}"
        return _resource(await self._call("POST", path, write(activity)))

    async def update_activity(
        self, conversation_id: str, activity_id: str, activity: Activity
    ) -> ResourceResponse:
        """Replace an activity that was sent."""
        path = f"/{_quoted(conversation_id)}/activities/{_quoted(activity_id)}"
        return _resource(await self._call("PUT", path, write(activity)))

    async def delete_activity(self, conversation_id: str, activity_id: str) -> None:
        """Delete an activity that was sent."""
        await self._call("DELETE", f"/{_quoted(conversation_id)}/activities/{_quoted(activity_id)}")

    async def create_conversation(
        self, parameters: ConversationParameters
    ) -> ConversationResourceResponse:
        """Start a conversation, on the channels that let a bot do so."""
        answer = await self._call("POST", "", write(parameters), meaning_at_creation)
        return _read(ConversationResourceResponse, answer)

    async def get_conversation_members(self, conversation_id: str) -> list[ChannelAccount]:
        """Return the members of a conversation."""
        answer = await self._call("GET", f"/{_quoted(conversation_id)}/members")
        return [_read(ChannelAccount, member) for member in answer or ()]

    async def get_conversation_member(self, conversation_id: str, member_id: str) -> ChannelAccount:
        """Return one member of a conversation."""
        answer = await self._call(
            "GET", f"/{_quoted(conversation_id)}/members/{_quoted(member_id)}"
        )
        return _read(ChannelAccount, answer)

    async def _call(
        self, method: str, path: str, body: Any = None, meaning: Meaning = meaning_of
    ) -> Any:
        with self._telemetry.span(CALL_CHANNEL, {METHOD: method, HOST: self._host}):
            return await self._asked(method, path, body, meaning)

    async def _asked(self, method: str, path: str, body: Any, meaning: Meaning) -> Any:
        """Make one call, without a retry: it is the queue that tries again.

        Raises:
            ServiceUnavailable: the channel failed, was slow or is throttling.
            ConversationGone: the channel does not know the conversation.
            ConversationBlocked: the bot may not write to it.
            Refused: the channel will never take this.
            AppNotInstalled: it lets the bot begin no conversation with this person.
        """
        token = await self._credentials.token()
        try:
            async with self._session.request(
                method,
                URL(self._base + path, encoded=True),
                json=body,
                headers=None if token is None else {"Authorization": f"Bearer {token.reveal()}"},
                timeout=CALL_TIMEOUT,
                allow_redirects=False,  # the token goes to this address and no other
            ) as response:
                if response.status == HTTPStatus.UNAUTHORIZED:
                    self._credentials.forget()
                if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                    raise await _error(response, meaning)
                return await json_or_none(response)  # 2xx means taken, whatever it says
        except aiohttp.InvalidURL as error:
            raise Refused("the channel's service URL is no address") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceUnavailable(f"the channel: {type(error).__name__}") from error


class PooledConnectorFactory(ConnectorFactory):
    """Makes a `Connector` for a turn; what is costly to make, they share."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        service_urls: ServiceUrls,
        max_channels: int = MAX_CHANNELS,
        *,
        telemetry: Telemetry = OFF,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._service_urls = service_urls
        self._telemetry = telemetry
        self._connector = lru_cache(maxsize=max_channels)(self._make)

    async def create(self, service_url: str, audience: str | None = None) -> Connector:  # noqa: ARG002
        """Return a client for the channel at `service_url`.

        Raises:
            Refused: the bot may not send there.
        """
        return self._connector(service_url)

    def _make(self, service_url: str) -> Connector:
        if not self._service_urls.allow(service_url):
            host = urlsplit(service_url).hostname
            raise Refused(f"the service URL's host {host} is not allowed")
        return Connector(self._session, self._credentials, service_url, self._telemetry)


@lru_cache(maxsize=1024)
def _quoted(part_of_path: str) -> str:
    return quote(part_of_path, safe="")


def _read(model: type[Model], answer: Any) -> Any:
    try:
        return read(model, answer)
    except Malformed as error:
        raise ServiceUnavailable(f"the channel's answer is no {model.__name__}: {error}") from None


def _resource(answer: Any) -> ResourceResponse:
    activity_id = answer.get("id") if isinstance(answer, dict) else None
    return ResourceResponse(id=activity_id if isinstance(activity_id, str) else "")


async def _error(response: aiohttp.ClientResponse, meaning: Meaning) -> ProactiveBotError:
    code = error_code(await json_or_none(response))
    return meaning(response.status, code, retry_after(response.headers))
