"""The bot SDK's adapter: an authenticated activity, or a stored reference -> one bot turn."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse
from botbuilder.schema import Activity, ActivityEventNames, ActivityTypes, ConversationReference
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from bot_logic.bot_endpoint.sdk.authentication import TokenAuthentication
from bot_logic.bot_endpoint.sdk.continued_turn import ContinuedTurn
from bot_logic.bot_endpoint.sdk.invokes import check_invoke, is_unhandled
from bot_logic.bot_endpoint.sdk.turn_context import Turn, copy

# Without the id that the SDK would make up and stamp on the message as its replyToId: Web Chat
# holds back for 5 seconds what answers an activity it has never seen.
_CONTINUATION: Final = Activity(
    type=ActivityTypes.event, name=ActivityEventNames.continue_conversation
)


class FunctionsAdapter(CloudAdapterBase):
    """Runs turns; HTTP is the endpoint's, sending is the connector's."""

    def __init__(self, authentication: TokenAuthentication) -> None:
        super().__init__(authentication)
        self._authentication = authentication

    async def run_turn(
        self, sender: AuthenticateRequestResult, activity: Activity, bot: Bot
    ) -> InvokeResponse | None:
        """Run a turn for an activity; return what the channel waits for, if it does.

        Raises:
            BadRequest: it is an invoke whose value is malformed.
        """
        check_invoke(activity, bot)
        if is_unhandled(activity, bot):
            return InvokeResponse(status=HTTPStatus.NOT_IMPLEMENTED)
        return await self.process_activity(sender, activity, bot.on_turn)

    async def continue_with(
        self,
        reference: ConversationReference,
        logic: Callable[[Turn], Awaitable[None]],
        sent: list[str],
    ) -> None:
        """Run `logic` in the referenced conversation, with no activity that asked for it.

        Args:
            reference: where.
            logic: what sends; what it has begun to send is sent, even if it is cancelled.
            sent: ids of what earlier attempts have sent, which is not sent again; those of what
                this one sends are added.
        """
        factory = self._authentication.connector_factory
        turn = ContinuedTurn(self, _continuation(reference), sent)
        turn.turn_state.update(
            {
                self.BOT_IDENTITY_KEY: self._authentication.own_identity(),
                self.BOT_OAUTH_SCOPE_KEY: None,
                self.BOT_CONNECTOR_CLIENT_KEY: await factory.create(reference.service_url),
                self.USER_TOKEN_CLIENT_KEY: None,
                self.BOT_CALLBACK_HANDLER_KEY: logic,
                self.CONNECTOR_FACTORY_KEY: factory,
            }
        )
        await self.run_pipeline(turn, logic)

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


def _continuation(reference: ConversationReference) -> Activity:
    continuation = copy(_CONTINUATION)
    continuation.channel_id = reference.channel_id
    continuation.service_url = reference.service_url
    continuation.conversation = reference.conversation
    continuation.recipient = reference.bot
    continuation.from_property = reference.user
    continuation.locale = reference.locale
    continuation.relates_to = reference
    return continuation
