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
from bot_logic.people.kept_state import KeptState
from bot_logic.people.kind import Kind
from bot_logic.people.left_out import LeftOut
from bot_logic.people.letters import Letters
from bot_logic.people.notified import Notified
from bot_logic.people.spoken_to import SpokenTo
from bot_logic.people.subject import Subject, conversation_of_id, person_of_id
from bot_logic.storage.protocols import Table
from bot_logic.telemetry.log_events import Event, EventLog

__all__ = ["Kind", "People", "build"]

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class People:
    """Shows and forgets people and conversations, by their ids.

    Attributes:
        conversations: lead from one id of somebody to their others.
        kinds: of what is stored, in the order in which it is forgotten.
    """

    conversations: Conversations
    kinds: tuple[Kind, ...]

    async def report(self, user_id: str) -> dict[str, Any] | None:
        """Return all that is stored about a person, as JSON; None if it is nothing.

        Raises:
            ServiceUnavailable: a table cannot be reached.
        """
        subject = await person_of_id(self.conversations, user_id)
        found = {kind.name: await kind.of(subject) for kind in self.kinds}
        return {"ids": sorted(subject.users), **found} if any(found.values()) else None

    async def forget_person(self, user_id: str) -> bool:
        """Delete all that is stored about a person; False if it is nothing.

        Raises:
            ServiceUnavailable: it could not be done to its end; to call again goes on.
        """
        return await self._forget(await person_of_id(self.conversations, user_id))

    async def forget_conversation(self, conversation_id: str) -> bool:
        """Delete all that is stored about a conversation; False if it is nothing.

        Raises:
            ServiceUnavailable: it could not be done to its end; to call again goes on.
        """
        return await self._forget(await conversation_of_id(self.conversations, conversation_id))

    async def _forget(self, subject: Subject) -> bool:
        """Delete it in an order in which a second call can go on.

        First the marks, so that nothing that is under way is stored anew.
        """
        for each in subject.conversations:
            await self.conversations.mark_forgotten(each.reference)
        found = [await kind.forget(subject) for kind in self.kinds]
        if any(found):
            log.info(Event.PEOPLE_FORGOTTEN, conversations=len(subject.conversations))
        return any(found)


def build(
    conversations: Conversations,
    notifications: NotificationStore,
    dead_letters: DeadLetterStore,
    state: Table,
    clock: Clock,
) -> People:
    """Build the room; `state` is the table of what bots keep from turn to turn."""
    return People(
        conversations,
        (
            Notified(notifications, clock),
            Letters(dead_letters),
            KeptState(state),
            LeftOut(conversations.skips),
            # A further kind goes here: last is what leads from one id of somebody to the others.
            SpokenTo(conversations),
        ),
    )
