"""Forgetting: all rows about somebody are deleted, in an order in which a second call can go on.

First the marks, so that nothing that is under way is stored anew; then all that is found by the ids
alone; last the conversations, by which a person's other ids are found.
"""

from dataclasses import dataclass

from bot_logic.conversations import Conversations
from bot_logic.people.kept_state import KeptState
from bot_logic.people.letters import Letters
from bot_logic.people.notified import Notified
from bot_logic.people.subject import Subject
from bot_logic.telemetry.log_events import Event, EventLog

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Forgets people and conversations."""

    conversations: Conversations
    state: KeptState
    letters: Letters
    notified: Notified

    async def run(self, subject: Subject) -> bool:
        """Delete all that is stored about somebody; False if it is nothing.

        Raises:
            ServiceUnavailable: it could not be done to its end; a second call goes on.
        """
        for each in subject.conversations:
            await self.conversations.mark_forgotten(each.reference)
        found = [
            await self.notified.forget(subject),
            await self.letters.forget(subject),
            await self.state.forget(subject),
            bool(subject.conversations),
        ]
        for each in subject.conversations:
            await self.conversations.forget(each.reference)
        if any(found):
            log.info(Event.PEOPLE_FORGOTTEN, conversations=len(subject.conversations))
        return any(found)
