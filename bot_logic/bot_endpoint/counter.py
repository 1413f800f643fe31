"""How many messages a conversation has had, kept in ConversationState."""

import asyncio

from botbuilder.core import ConversationState, TurnContext

from bot_logic.bot_endpoint.state import StateConflict
from bot_logic.clock import Chance
from bot_logic.errors import ServiceUnavailable

ATTEMPTS = 20
PAUSE = 0.02  # seconds, times the attempt, times chance
_PROPERTY = "messageCount"


class MessageCounter:
    """Counts so that messages that come in together still get a number each."""

    def __init__(self, state: ConversationState, chance: Chance) -> None:
        self._state = state
        self._chance = chance

    async def next(self, turn: TurnContext) -> int:
        """Return this message's number in its conversation, from 1; it is stored then.

        Raises:
            ServiceUnavailable: the table could not be reached.
        """
        for attempt in range(ATTEMPTS):
            await self._state.load(turn, force=attempt > 0)
            # Not through a state property: as long as the state is empty, the SDK reads it again
            # in each `get` and `set`, so that the two can see different states.
            state = self._state.get(turn)
            number = state[_PROPERTY] = int(state.get(_PROPERTY, 0)) + 1
            try:
                await self._state.save_changes(turn)
            except StateConflict:  # another message of this conversation was faster
                await asyncio.sleep(self._chance.fraction() * PAUSE * (attempt + 1))
            else:
                return number
        raise ServiceUnavailable("the conversation's state changed too often")
