"""What the person who receives can change: to be told of broadcasts or not, and their topics."""

from botbuilder.core import TurnContext

from bot_logic.bot_endpoint.recorder import reference_of
from bot_logic.conversations.references import Conversations
from bot_logic.conversations.threads import Reference, of_channel


class Subscriber:
    """Opts the person, or the group, of a turn out of broadcasts and in again, and to topics.

    Each raises ServiceUnavailable if a table cannot be reached; it can be repeated.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def opt_out(self, turn: TurnContext) -> None:
        """Leave them out of broadcasts."""
        await self._conversations.skips.opt_out(_of(turn))

    async def opt_in(self, turn: TurnContext) -> None:
        """Leave them out no longer."""
        await self._conversations.skips.opt_in(_of(turn))

    async def subscribe(self, turn: TurnContext, topic: str) -> None:
        """Let the conversation be told what concerns a topic.

        Raises:
            BadRequest: it has as many topics as a conversation may have.
            RowRefused: the table does not take the conversation.
        """
        reference = _of(turn)
        await self._conversations.remember(reference)  # it may be their first message
        if not await self._conversations.subscribe(reference, topic):
            # Another process has forgotten it since this one stored it.
            await self._conversations.remember(reference, rewrite=True)
            await self._conversations.subscribe(reference, topic)

    async def unsubscribe(self, turn: TurnContext, topic: str) -> None:
        """Let the conversation no longer be told what concerns a topic."""
        await self._conversations.unsubscribe(_of(turn), topic)


def _of(turn: TurnContext) -> Reference:
    return of_channel(reference_of(turn.activity))
