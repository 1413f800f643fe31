"""Calls about dead letters: what could not be delivered and why; again, or away with it."""

import re
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func

from bot_logic.api.answers import Answer, after_of, answered, check_json, check_query
from bot_logic.delivery.dead_letter_store import DeadLetterStore, Filed
from bot_logic.errors import AttemptUnderWay, BadRequest, PermanentError
from bot_logic.notifications.request import parse_nothing
from bot_logic.storage.protocols import Key

MOST_LISTED: Final = 100  # dead letters in one answer
PARTITION: Final = 2  # characters of a key's digest that are its partition

_ID: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class DeadLettersApi:
    """Answers calls about dead letters.

    They are named by the digest that is their row's key: what a message calls itself may be any
    text, which no URL carries, and two may call themselves the same.
    """

    store: DeadLetterStore

    async def list_all(self, request: func.HttpRequest) -> func.HttpResponse:
        """List dead letters, without what was said."""
        return await answered(self._list_all(request))

    async def show(self, request: func.HttpRequest) -> func.HttpResponse:
        """Show all of a dead letter, its message, too."""
        return await answered(self._show(request))

    async def replay(self, request: func.HttpRequest) -> func.HttpResponse:
        """Put a message on the queue again; what was delivered after all is dropped."""
        return await answered(self._replay(request))

    async def purge(self, request: func.HttpRequest) -> func.HttpResponse:
        """Delete a dead letter."""
        return await answered(self._purge(request))

    async def _list_all(self, request: func.HttpRequest) -> Answer:
        check_query(request, "after")
        after = after_of(request)
        if after and not _ID.fullmatch(after):
            raise BadRequest("must be the `after` of an answer", field="after")
        found = list[Filed]()
        async for filed in self.store.all(behind=_key(after) if after else None):
            found.append(filed)
            if len(found) == MOST_LISTED:
                break
        more = {"after": _id(found[-1])} if len(found) == MOST_LISTED else {}
        return 200, {"deadLetters": [_document(each) for each in found], **more}

    async def _show(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        filed = await self._named(request)
        return 200, {**_document(filed), "message": filed.dead_letter.message}

    async def _replay(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        check_json(request.headers)
        parse_nothing(request.get_body())
        filed = await self._named(request)
        try:
            queued = await self.store.replay(filed)
        except AttemptUnderWay as error:
            raise BadRequest(str(error), status=409, code="AttemptUnderWay") from None
        except PermanentError as error:
            reason = f"it would only come back: {error}"
            raise BadRequest(reason, status=409, code="CannotBeReplayed") from None
        return 200, {"id": _id(filed), "state": "queued" if queued else "delivered"}

    async def _purge(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        await self.store.purge(await self._named(request))
        return 204, None

    async def _named(self, request: func.HttpRequest) -> Filed:
        name = request.route_params.get("id", "")
        filed = await self.store.at(_key(name)) if _ID.fullmatch(name) else None
        if filed is None:
            raise BadRequest("there is no such dead letter", status=404, code="NotFound")
        return filed


def _id(filed: Filed) -> str:
    return filed.key.partition + filed.key.row


def _key(name: str) -> Key:
    return Key(name[:PARTITION], name[PARTITION:])


def _document(filed: Filed) -> dict[str, Any]:
    letter = filed.dead_letter
    optional = {
        "firstReason": letter.first_reason or None,
        "attempts": letter.attempts,
        "ageSeconds": letter.age_seconds,
        "deadLetteredAt": letter.dead_lettered_at or None,
        "missed": letter.missed or None,
    }
    return {
        "id": _id(filed),
        "messageId": letter.id,
        "error": letter.error,
        "reason": letter.reason,
        "sent": filed.sent,
        **{name: value for name, value in optional.items() if value is not None},
    }
