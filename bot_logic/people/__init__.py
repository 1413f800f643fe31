"""What is stored about people: shown to them, and forgotten when they ask for it.

docs/people-data.md says what that is and where. May import: notifications, delivery, conversations,
storage, contract, errors, clock.
"""

from dataclasses import dataclass
from typing import Any

from bot_logic.clock import Clock
from bot_logic.conversations import Conversations
from bot_logic.delivery.dead_letter_store import DeadLetterStore
from bot_logic.notifications.store import NotificationStore
from bot_logic.people.forgetting import Forgetting
from bot_logic.people.kept_state import KeptState
from bot_logic.people.letters import Letters
from bot_logic.people.notified import Notified
from bot_logic.people.report import Reports
from bot_logic.people.subject import Subject, conversation_of_id, person_of_id
from bot_logic.storage.protocols import Table

__all__ = ["People", "build"]


@dataclass(frozen=True, slots=True)
class People:
    """Shows and forgets people and conversations, by their ids."""

    conversations: Conversations
    reports: Reports
    forgetting: Forgetting

    async def report(self, user_id: str) -> dict[str, Any] | None:
        """Return all that is stored about a person, as JSON; None if it is nothing.

        Raises:
            ServiceUnavailable: a table cannot be reached.
        """
        return await self.reports.of(await self._person(user_id))

    async def forget_person(self, user_id: str) -> bool:
        """Delete all that is stored about a person; False if it is nothing.

        Raises:
            ServiceUnavailable: it could not be done to its end; to call again goes on.
        """
        return await self.forgetting.run(await self._person(user_id))

    async def forget_conversation(self, conversation_id: str) -> bool:
        """Delete all that is stored about a conversation; False if it is nothing.

        Raises:
            ServiceUnavailable: it could not be done to its end; to call again goes on.
        """
        subject = await conversation_of_id(self.conversations, conversation_id)
        return await self.forgetting.run(subject)

    async def _person(self, user_id: str) -> Subject:
        return await person_of_id(self.conversations, user_id)


def build(
    conversations: Conversations,
    notifications: NotificationStore,
    dead_letters: DeadLetterStore,
    state: Table,
    clock: Clock,
) -> People:
    """Build the room; `state` is the table of what bots keep from turn to turn."""
    kept, letters = KeptState(state), Letters(dead_letters)
    notified = Notified(notifications, clock)
    return People(
        conversations,
        Reports(kept, letters, notified),
        Forgetting(conversations, kept, letters, notified),
    )
