"""What a bot keeps from turn to turn: the SDK's ConversationState and UserState, for every turn.

They stand where the SDK's dialogs look for them. Nothing is read until a bot asks for it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import BotState, ConversationState, Middleware, TurnContext, UserState
from botbuilder.core.bot_state import CachedBotState

from bot_logic.bot_endpoint.state import ETAG, NOT_STORED, TableStorage


def conversation_state(turn: TurnContext) -> ConversationState:
    """Return the state of the turn's conversation, as it was when it was first asked for."""
    return turn.turn_state[ConversationState.__name__]


def user_state(turn: TurnContext) -> UserState:
    """Return the state of the user on the turn's channel.

    Raises:
        KeyError: the turn is of nobody, as of a trigger for a group.
    """
    return turn.turn_state[UserState.__name__]


class TurnStates(Middleware):
    """Gives each turn its states, and saves what it changed when it has ended well.

    Raises, after the turn:
        StateConflict: another turn has saved meanwhile, and this one is to be taken again.
        TypeError: a state is not JSON, or too large.
    """

    def __init__(self, storage: TableStorage) -> None:
        self._conversation = _OfConversation(storage)
        self._user = _OfUser(storage)

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[Any]]) -> None:
        """Let a turn run between the two."""
        states = [self._conversation, self._user] if _is_of_user(context) else [self._conversation]
        for state in states:
            context.turn_state[state.service_name] = state
        await logic()
        for state in states:
            await state.save_changes(context)


class _ReadOnce(BotState):
    """A state that a turn reads once.

    The SDK reads an empty one again at each access, so that what another turn has written meanwhile
    is overwritten with its ETag in hand, and what was cleared comes back.
    """

    service_name: str

    async def load(self, turn_context: TurnContext, force: bool = False) -> None:  # noqa: FBT001, FBT002 - the SDK's
        """Read the state, if this turn has not."""
        if force or self.get_cached_state(turn_context) is None:
            key = self.get_storage_key(turn_context)
            found = (await self._storage.read([key])).get(key, {ETAG: NOT_STORED})
            turn_context.turn_state[self._context_service_key] = CachedBotState(found)

    async def clear_state(self, turn_context: TurnContext) -> None:
        """Empty the state; it is the same row that is written then."""
        await self.load(turn_context)
        etag = self.get(turn_context)[ETAG]
        await super().clear_state(turn_context)
        self.get(turn_context)[ETAG] = etag


class _OfConversation(_ReadOnce, ConversationState):
    service_name = ConversationState.__name__


class _OfUser(_ReadOnce, UserState):
    service_name = UserState.__name__


def _is_of_user(turn: TurnContext) -> bool:
    user = turn.activity.from_property
    return user is not None and bool(user.id)
