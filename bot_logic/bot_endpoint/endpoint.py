"""The messaging endpoint: a channel's request -> a trigger or a turn -> an HTTP response."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import azure.functions as func
from botbuilder.core import Bot, InvokeResponse
from botbuilder.schema import Activity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from bot_logic.addresses import ServiceUrls
from bot_logic.bot_endpoint.adapter import FunctionsAdapter
from bot_logic.bot_endpoint.failures import error_response, json_response, log_failure
from bot_logic.bot_endpoint.lifecycle import is_own
from bot_logic.bot_endpoint.presses import apologise, press_in
from bot_logic.bot_endpoint.recorder import ConversationRecorder
from bot_logic.bot_endpoint.sdk.activity_json import parse, to_activity
from bot_logic.bot_endpoint.sdk.authentication import TokenAuthentication
from bot_logic.bot_endpoint.trigger import TriggerHandler, is_trigger
from bot_logic.deadline import deadline
from bot_logic.errors import BadRequest
from bot_logic.outgoing import is_own_call
from bot_logic.telemetry import Telemetry
from bot_logic.telemetry.log_events import Event, EventLog, fingerprint
from bot_logic.telemetry.names import ACTIVITY_TYPE, CHANNEL, ERROR_TYPE, TURN, TURNS

TURN_TIMEOUT: Final = 13  # seconds; Direct Line waits 15 for the bot, then tells the user it failed
PRESS_TIMEOUT: Final = 10  # seconds of them, for whoever presses a button waits for its answer

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Takes what channels post: authenticates it, then decides what it is."""

    authentication: TokenAuthentication
    service_urls: ServiceUrls
    adapter: FunctionsAdapter
    bot: Bot
    recorder: ConversationRecorder
    triggers: TriggerHandler
    telemetry: Telemetry
    turn_timeout: float = TURN_TIMEOUT

    async def answer(self, request: func.HttpRequest) -> func.HttpResponse:
        """Answer a channel's request.

        Every outcome is an answer: 200, what the turn itself answers (invoke, expectReplies), 4xx
        for a request that cannot be taken, 503 for a dependency that is down, and 500 without
        any detail for an error in the bot.
        """
        body, headers = request.get_body(), request.headers
        try:
            answer = await self.take(body, headers)
            return func.HttpResponse() if answer is None else _invoke_response(answer)
        except Exception as error:  # noqa: BLE001 - the outermost handler; all are answered
            log_failure(error)
            return error_response(error)

    async def take(self, body: bytes, headers: Mapping[str, str]) -> InvokeResponse | None:
        """Deliver a trigger, or run a turn; return what the channel waits for, if it does.

        Raises:
            BadRequest: it cannot be taken, its sender may not send it, or the bot itself sent it.
            RetryableError, PermanentError: a dependency failed, or refused.
            TimeoutError: the turn took too long.
        """
        _refuse_own_call(headers)
        _refuse_lost_body(headers, body)
        async with deadline(self.turn_timeout):
            document = parse(headers.get("Content-Type", ""), body)
            sender = await self._admitted(document, headers.get("Authorization", ""))
            if not is_trigger(document):
                activity = to_activity(document)
                if is_own(activity):
                    conversation = fingerprint(activity.conversation.id)
                    log.info(Event.TURN_SKIPPED, conversation=conversation)
                    return None
                return await self._answered(sender, activity)
        await self.triggers.take(document)  # has limits of its own: what was sent is to be noted
        return None

    async def _answered(
        self, sender: AuthenticateRequestResult, activity: Activity
    ) -> InvokeResponse | None:
        """Run a turn; if it is a press of a button that fails, answer it all the same."""
        press = press_in(activity)
        if press is None:
            return await self._turn(sender, activity)
        try:
            async with deadline(PRESS_TIMEOUT):
                return await self._turn(sender, activity)
        except BadRequest:
            raise
        except Exception as error:  # noqa: BLE001 - all are answered
            log_failure(error)
        return await self.adapter.process_activity(
            sender, activity, partial(apologise, press=press)
        )

    async def _turn(
        self, sender: AuthenticateRequestResult, activity: Activity
    ) -> InvokeResponse | None:
        about = {CHANNEL: activity.channel_id}
        with self.telemetry.span(TURN, {**about, ACTIVITY_TYPE: activity.type}):
            try:
                turn = self.adapter.run_turn(sender, activity, self.bot)
                answer: InvokeResponse | None = await self.recorder.beside(activity, turn)
            except BaseException as error:  # a turn that was cancelled has failed, too
                self.telemetry.count(TURNS, {**about, ERROR_TYPE: type(error).__name__})
                raise
        self.telemetry.count(TURNS, about)
        return answer

    async def _admitted(
        self, document: dict[str, Any], auth_header: str
    ) -> AuthenticateRequestResult:
        service_url = document["serviceUrl"]
        sender = await self.authentication.authenticate(
            document["channelId"], service_url, auth_header
        )
        if not self.service_urls.allow(service_url):  # judged last: no stranger learns which are
            raise BadRequest(
                "the service URL's host is not allowed; AllowedServiceUrlHosts may add it",
                status=403,
                code="Forbidden",
                field="serviceUrl",
            )
        return sender


def _refuse_lost_body(headers: Mapping[str, str], body: bytes) -> None:
    """Refuse a chunked request, whose body the Functions host loses, by its cause.

    https://github.com/Azure/azure-functions-host/issues/7930
    """
    if not body and "chunked" in headers.get("Transfer-Encoding", "").lower():
        raise BadRequest(
            "the body is empty: the Functions host does not take a chunked body; "
            "send it with a Content-Length"
        )


def _refuse_own_call(headers: Mapping[str, str]) -> None:
    """Refuse what this app has sent: answering it would make it send the next, without an end."""
    if is_own_call(headers):
        raise BadRequest(
            "the bot called itself: this service URL, or Direct Line's endpoint, leads back to it",
            code="LoopDetected",
            field="serviceUrl",
        )


def _invoke_response(answer: InvokeResponse) -> func.HttpResponse:
    if answer.body is None:
        return func.HttpResponse(status_code=int(answer.status))
    return json_response(int(answer.status), answer.body)
