"""Dead letters about somebody: those in which one of their ids stands."""

import json
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bot_logic.delivery.dead_letter_store import DeadLetterStore, Filed
from bot_logic.people.subject import Subject

# Names in small letters, as the old template wrote some of them in large ones.
_NO_IDS: Final = frozenset(
    {
        "bot",
        "botid",
        "channelid",
        "conversationtype",
        "firstfailure",
        "locale",
        "name",
        "role",
        "serviceurl",
        "tenantid",
        "text",
        "textformat",
        "traceparent",
        "type",
        "username",
    }
)
_OF_ACTIVITY: Final = ("conversation", "entities", "from", "recipient")


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


def names_one(message: Any, ids: Collection[str]) -> bool:
    """Tell whether a message has one of these ids where ids stand.

    What was said, and words such as a channel's name, are none: a visitor may call themselves so.
    """
    if isinstance(message, str):  # none of ours, or only the beginning of one
        return any(_as_member(each).search(message) for each in ids)
    return _stands_in(message, ids)


def _stands_in(value: Any, ids: Collection[str]) -> bool:
    if isinstance(value, dict):
        return any(
            _stands_in(_who_is_in(each) if name == "activity" else each, ids)
            for name, each in value.items()
            if name.lower() not in _NO_IDS
        )
    if isinstance(value, list):
        return any(_stands_in(each, ids) for each in value)
    return isinstance(value, str) and value in ids


def _who_is_in(activity: Any) -> Any:
    """Return what of an activity names somebody, and not its cards."""
    if not isinstance(activity, dict):
        return None
    return {name: activity[name] for name in _OF_ACTIVITY if name in activity}


def _as_member(text: str) -> re.Pattern[str]:
    """Return what finds an id in torn JSON, as what a name ending in "id" stands for."""
    return re.compile(rf'(?i:id)"\s*:\s*{re.escape(json.dumps(text, ensure_ascii=False))}')
