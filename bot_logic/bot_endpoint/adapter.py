"""The bot SDK's adapter: an authenticated activity, or a stored reference -> one bot turn."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse
from botbuilder.schema import Activity, ActivityEventNames, ActivityTypes, ConversationReference
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from bot_logic.bot_endpoint.sdk.authentication import TokenAuthentication
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
        """Run a turn for an activity; return what the channel waits for, if it does."""
        return await self.process_activity(sender, activity, bot.on_turn)

    async def continue_with(
        self, reference: ConversationReference, logic: Callable[[Turn], Awaitable[None]]
    ) -> None:
        """Run `logic` in the referenced conversation, with no activity that asked for it.

        What it sends is sent to the end even if it is cancelled, so that its caller knows whether
        anything was sent (`turn.has_spoken`).
        """
        factory = self._authentication.connector_factory
        turn = self._create_turn_context(
            _continuation(reference),
            self._authentication.own_identity(),
            None,
            await factory.create(reference.service_url),
            None,
            logic,
            factory,
        )
        turn.sends_to_the_end = True
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
    continuation.relates_to = reference
    return continuation
