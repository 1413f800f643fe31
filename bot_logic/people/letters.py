"""Dead letters about somebody: those in which one of their ids stands."""

import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any, ClassVar

from bot_logic.delivery.dead_letter_store import DeadLetterStore, Filed
from bot_logic.people.subject import Subject


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters."""

    store: DeadLetterStore
    name: ClassVar[str] = "deadLetters"

    async def of(self, subject: Subject) -> list[dict[str, Any]]:
        """Return the dead letters about somebody.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        return [_document(filed) async for filed in self._about(subject)]

    async def forget(self, subject: Subject) -> bool:
        """Delete them and what is known of their messages; False if there are none.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        found = [filed async for filed in self._about(subject)]
        for filed in found:
            await self.store.forget(filed)
        return bool(found)

    async def _about(self, subject: Subject) -> AsyncIterator[Filed]:
        async for filed in self.store.all():
            if names_one(filed.dead_letter.message, subject.ids):
                yield filed


def _document(filed: Filed) -> dict[str, Any]:
    letter = filed.dead_letter
    return {
        "id": letter.id,
        "error": letter.error,
        "reason": letter.reason,
        "deadLetteredAt": letter.dead_lettered_at,
        "message": letter.message,
    }


def names_one(value: Any, ids: Collection[str]) -> bool:
    """Tell whether one of these ids is a value in some JSON, or stands as one in a torn text."""
    if isinstance(value, dict):
        return any(names_one(each, ids) for each in value.values())
    if isinstance(value, list):
        return any(names_one(each, ids) for each in value)
    if not isinstance(value, str):
        return False
    return value in ids or any(_as_json(each) in value for each in ids)


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
