"""A turn that nobody asked for, which goes on behind what an earlier attempt at it has sent."""

from typing import Any, Final

from botbuilder.schema import Activity, ActivityTypes, ResourceResponse

from bot_logic.bot_endpoint.sdk.turn_context import Turn
from bot_logic.deadline import to_its_end

MAX_ID: Final = 128  # characters of an activity's id that are kept; an id is shorter
_SAYS_NOTHING: Final = (ActivityTypes.trace, ActivityTypes.typing)


class ContinuedTurn(Turn):
    """A turn whose activities are sent one by one, each to its end, and noted.

    The first activities that the bot sends are taken for those that are in `sent` already, and
    answered with their ids. What a user does not read, such as typing, is sent each time.
    """

    def __init__(self, adapter: Any, activity: Activity, sent: list[str]) -> None:
        """Make a turn.

        Args:
            adapter: the SDK's.
            activity: which says where.
            sent: ids of what was sent before; those of what this turn sends are added.
        """
        super().__init__(adapter, activity)
        self._sent = sent
        self._place = 0

    async def post(self, outgoing: list[Activity]) -> list[ResourceResponse]:
        """Send activities, but those that were sent before."""
        return [await self._once(activity) for activity in outgoing]

    async def _once(self, activity: Activity) -> ResourceResponse:
        if activity.type in _SAYS_NOTHING:
            return await self._one(activity)
        self._place += 1
        if self._place <= len(self._sent):
            return ResourceResponse(id=self._sent[self._place - 1])
        response: ResourceResponse = await to_its_end(self._noted(activity))
        return response

    async def _noted(self, activity: Activity) -> ResourceResponse:
        response = await self._one(activity)
        self._sent.append((response.id or "")[:MAX_ID])
        return response

    async def _one(self, activity: Activity) -> ResourceResponse:
        responses = await super().post([activity])
        return responses[0] if responses else ResourceResponse()
