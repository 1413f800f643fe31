"""All that is stored about a person, as JSON that can be handed to them."""

from dataclasses import dataclass
from typing import Any

from bot_logic.conversations import Conversation
from bot_logic.conversations.channels import is_of_clients
from bot_logic.delivery.dead_letter_store import Filed
from bot_logic.people.kept_state import KeptState
from bot_logic.people.letters import Letters
from bot_logic.people.notified import Notified
from bot_logic.people.subject import Subject


@dataclass(frozen=True, slots=True)
class Reports:
    """Says what is stored about people."""

    state: KeptState
    letters: Letters
    notified: Notified

    async def of(self, subject: Subject) -> dict[str, Any] | None:
        """Return all that is stored about somebody; None if it is nothing.

        Raises:
            ServiceUnavailable: a table cannot be reached.
        """
        found = {
            "conversations": [_conversation(each) for each in subject.conversations],
            "state": await self.state.of(subject),
            "deadLetters": [_letter(each) async for each in self.letters.of(subject)],
            "notifications": [each async for each in self.notified.of(subject)],
        }
        return {"ids": sorted(subject.users), **found} if any(found.values()) else None


def _conversation(known: Conversation) -> dict[str, Any]:
    blocked = known.blocked
    mark = {"blocked": {"reason": blocked.reason, "since": blocked.since}} if blocked else {}
    return {
        "reference": known.reference,
        "vouched": not is_of_clients(known.reference["channelId"]),
        "topics": sorted(known.topics),
        **mark,
    }


def _letter(filed: Filed) -> dict[str, Any]:
    letter = filed.dead_letter
    return {
        "id": letter.id,
        "error": letter.error,
        "reason": letter.reason,
        "deadLetteredAt": letter.dead_lettered_at,
        "message": letter.message,
    }
