"""An Azure Functions HTTP request -> an authenticated bot turn -> an HTTP response."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import azure.functions as func
from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityEventNames, ActivityTypes, ConversationReference

from bot_logic.bot_endpoint.activity_json import parse, to_activity
from bot_logic.bot_endpoint.authentication import TokenAuthentication
from bot_logic.bot_endpoint.schema_json import plain
from bot_logic.bot_endpoint.turn import Turn, copy
from bot_logic.errors import BadRequest, RetryHelps, RetryNeverHelps
from bot_logic.service_urls import ServiceUrls

TURN_TIMEOUT: Final = 13  # seconds; Direct Line waits 15 for the bot, then tells the user it failed

# Without the id that the SDK would make up and stamp on the message as its replyToId: Web Chat
# holds back for 5 seconds what answers an activity it has never seen.
_CONTINUATION: Final = Activity(
    type=ActivityTypes.event, name=ActivityEventNames.continue_conversation
)

logger = logging.getLogger(__name__)


class FunctionsAdapter(CloudAdapterBase):
    """The bot SDK's adapter for Azure Functions."""

    def __init__(self, authentication: TokenAuthentication, service_urls: ServiceUrls) -> None:
        super().__init__(authentication)
        self._service_urls = service_urls
        self._authentication = authentication

    async def process(self, request: func.HttpRequest, bot: Bot) -> func.HttpResponse:
        """Run a bot turn for a channel's request.

        Every outcome is an answer: 200, what the turn itself answers (invoke, expectReplies), 4xx
        for a request that cannot be taken, 503 for a neighbour that is down, and 500 without
        any detail for an error in the bot.
        """
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                answer = await self._turn(request, bot)
            return func.HttpResponse() if answer is None else _invoke_response(answer)
        except Exception as error:  # noqa: BLE001 - the outermost handler; all are answered
            return _error_response(error)

    async def _turn(self, request: func.HttpRequest, bot: Bot) -> InvokeResponse | None:
        document = parse(request.headers.get("Content-Type", ""), request.get_body())
        if not self._service_urls.allow(document["serviceUrl"]):
            raise BadRequest(
                "the service URL's host is not allowed; AllowedServiceUrlHosts may add it",
                status=403,
                code="Forbidden",
                field="serviceUrl",
            )
        sender = await self._authentication.authenticate(
            document["channelId"], document["serviceUrl"], request.headers.get("Authorization", "")
        )
        return await self.process_activity(sender, to_activity(document), bot.on_turn)

    async def speak_first(
        self, reference: ConversationReference, logic: Callable[[TurnContext], Awaitable[None]]
    ) -> None:
        """Run `logic` in the referenced conversation, with no activity that asked for it."""
        continuation = copy(_CONTINUATION)
        continuation.channel_id = reference.channel_id
        continuation.service_url = reference.service_url
        continuation.conversation = reference.conversation
        continuation.recipient = reference.bot
        continuation.from_property = reference.user
        continuation.relates_to = reference
        await self.process_proactive(self._authentication.own_identity(), continuation, None, logic)

    def _create_turn_context(  # noqa: PLR0917 - the SDK's hook
        self,
        activity: Activity,
        claims_identity: Any,
        oauth_scope: Any,
        connector_client: Any,
        user_token_client: Any,
        logic: Any,
        connector_factory: Any,
    ) -> Turn:
        turn = Turn(self, activity)
        turn.turn_state.update(
            {
                self.BOT_IDENTITY_KEY: claims_identity,
                self.BOT_OAUTH_SCOPE_KEY: oauth_scope,
                self.BOT_CONNECTOR_CLIENT_KEY: connector_client,
                self.USER_TOKEN_CLIENT_KEY: user_token_client,
                self.BOT_CALLBACK_HANDLER_KEY: logic,
                self.CONNECTOR_FACTORY_KEY: connector_factory,
            }
        )
        return turn


def _invoke_response(answer: InvokeResponse) -> func.HttpResponse:
    if answer.body is None:
        return func.HttpResponse(status_code=int(answer.status))
    return _json_response(int(answer.status), answer.body)


def _error_response(error: Exception) -> func.HttpResponse:
    match error:
        case BadRequest():
            logger.warning("request refused: %d %s: %s", error.status, error.code, error)
            return _error_body(error.status, error.code, str(error), field=error.field)
        case RetryHelps():
            logger.warning("turn failed, a retry can help: %s", error)
            wait = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return _error_body(503, "ServiceUnavailable", str(error), headers=wait)
        case TimeoutError():
            logger.warning("turn failed, a retry can help: no end within %d s", TURN_TIMEOUT)
            return _error_body(503, "ServiceUnavailable", "the bot's neighbours are too slow")
        case RetryNeverHelps():
            logger.warning("turn failed: %s", error)
            return _error_body(502, "Refused", str(error))
        case _:
            logger.error("the bot failed", exc_info=error)
            return _error_body(500, "BotError", "the bot failed; its log says why")


def _error_body(
    status: int,
    code: str,
    message: str,
    *,
    field: str | None = None,
    headers: dict[str, str] | None = None,
) -> func.HttpResponse:
    error = {"code": code, "message": message} | ({} if field is None else {"field": field})
    return _json_response(status, {"error": error}, headers)


def _json_response(
    status: int, body: Any, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(body, default=plain),  # a bot may answer with the SDK's models
        status_code=status,
        headers=headers,
        mimetype="application/json",
    )
