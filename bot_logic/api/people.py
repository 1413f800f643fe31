"""Calls about people: what is stored about somebody, and that it be forgotten."""

from dataclasses import dataclass

import azure.functions as func

from bot_logic.addresses import is_id
from bot_logic.api.answers import Answer, answered, check_query
from bot_logic.errors import BadRequest
from bot_logic.people import People


@dataclass(frozen=True, slots=True)
class PeopleApi:
    """Answers calls about people."""

    people: People

    async def show(self, request: func.HttpRequest) -> func.HttpResponse:
        """Say all that is stored about a person."""
        return await answered(self._show(request))

    async def forget(self, request: func.HttpRequest) -> func.HttpResponse:
        """Delete all that is stored about a person."""
        return await answered(self._forget(request))

    async def forget_conversation(self, request: func.HttpRequest) -> func.HttpResponse:
        """Delete all that is stored about a conversation."""
        return await answered(self._forget_conversation(request))

    async def _show(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        found = await self.people.report(_id_of(request))
        if found is None:
            raise _nothing("person")
        return 200, found

    async def _forget(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        if not await self.people.forget_person(_id_of(request)):
            raise _nothing("person")
        return 204, None

    async def _forget_conversation(self, request: func.HttpRequest) -> Answer:
        check_query(request)
        if not await self.people.forget_conversation(_id_of(request)):
            raise _nothing("conversation")
        return 204, None


def _id_of(request: func.HttpRequest) -> str:
    value = request.route_params.get("id", "")
    if not is_id(value):
        raise BadRequest("must be printable, not empty and not endless", field="id")
    return str(value)


def _nothing(what: str) -> BadRequest:
    return BadRequest(f"nothing is stored about a {what} of this id", status=404, code="NotFound")
