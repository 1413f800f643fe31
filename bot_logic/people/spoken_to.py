"""The conversations themselves: the references to them, and the rows of the audiences."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot_logic.clock import iso
from bot_logic.conversations import Conversation, Conversations
from bot_logic.conversations.channels import is_of_clients
from bot_logic.people.subject import Subject


@dataclass(frozen=True, slots=True)
class SpokenTo:
    """The conversations."""

    known: Conversations
    name: ClassVar[str] = "conversations"

    async def of(self, subject: Subject) -> list[dict[str, Any]]:
        """Return the conversations of somebody."""
        return [_document(each) for each in subject.conversations]

    async def forget(self, subject: Subject) -> bool:
        """Delete them, last the one that leads to the others; False if there are none.

        Raises:
            ServiceUnavailable: a table cannot be reached.
        """
        for each in subject.conversations:
            await self.known.forget(each.reference)
        return bool(subject.conversations)


def _document(known: Conversation) -> dict[str, Any]:
    blocked = known.blocked
    mark = {"blocked": {"reason": blocked.reason, "since": iso(blocked.since)}} if blocked else {}
    return {
        "reference": known.reference,
        "vouched": not is_of_clients(known.reference["channelId"]),
        "topics": sorted(known.topics),
        **mark,
    }
