"""That broadcasts leave somebody out: they said stop, or have lately blocked the bot."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot_logic.clock import iso
from bot_logic.conversations.skips import Noted, Skips
from bot_logic.people.subject import Subject


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is noted of whom a broadcast leaves out."""

    skips: Skips
    name: ClassVar[str] = "leftOut"

    async def of(self, subject: Subject) -> list[dict[str, Any]]:
        """Return why somebody is left out, and since or until when."""
        return [_document(each) async for each in self.skips.noted(subject.digits)]

    async def forget(self, subject: Subject) -> bool:
        """Delete it; False if there is nothing.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        found = [each async for each in self.skips.noted(subject.digits)]
        for each in found:
            await self.skips.drop(each)
        return bool(found)


def _document(noted: Noted) -> dict[str, Any]:
    times = {"since": noted.since, "until": noted.until}
    return {
        "why": noted.why,
        **{name: iso(moment) for name, moment in times.items() if moment is not None},
        **({"reason": noted.reason} if noted.reason else {}),
    }
