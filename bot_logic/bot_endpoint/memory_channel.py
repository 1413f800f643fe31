"""A channel in memory, for tests: it takes what the bot sends, and can be told to misbehave."""

from dataclasses import dataclass
from typing import Any

from botbuilder.schema import Activity, ConversationResourceResponse, ResourceResponse
from botframework.connector.auth import ConnectorFactory

from bot_logic.errors import ActivityGone
from bot_logic.storage.memory import Faults


@dataclass(frozen=True, slots=True)
class Sent:
    """An activity that the channel has taken, and the conversation it went to."""

    conversation_id: str
    activity: Activity


class MemoryChannel(ConnectorFactory):
    """Stands where the connector to all channels would.

    Attributes:
        sent: what the channel has taken, in order.
        faults: what goes wrong, at the calls "channel.send", "channel.create", "channel.update"
            and "channel.delete".
    """

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.faults = Faults()

    async def create(self, service_url: str, audience: str | None = None) -> "MemoryChannel":  # noqa: ARG002
        """Return itself: it is the client of every channel."""
        return self

    @property
    def conversations(self) -> "MemoryChannel":
        """Itself: the SDK keeps these operations one level further down."""
        return self

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        """Take an activity."""
        async with self.faults.around("channel.send"):
            self.sent.append(Sent(conversation_id, activity))
            return ResourceResponse(id=str(len(self.sent)))

    async def reply_to_activity(
        self,
        conversation_id: str,
        activity_id: str,  # noqa: ARG002
        activity: Activity,
    ) -> ResourceResponse:
        """Take an activity as the answer to another."""
        return await self.send_to_conversation(conversation_id, activity)

    async def create_conversation(self, parameters: Any) -> ConversationResourceResponse:
        """Begin a conversation with its first member."""
        async with self.faults.around("channel.create"):
            return ConversationResourceResponse(id=f"new-with-{parameters.members[0].id}")

    async def update_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        """Replace an activity that was sent."""
        async with self.faults.around("channel.update"):
            self._replace(conversation_id, activity_id, activity)
            return ResourceResponse(id=activity_id)

    async def delete_activity(self, conversation_id: str, activity_id: str) -> None:
        """Delete an activity that was sent; later ones keep their ids."""
        async with self.faults.around("channel.delete"):
            self._replace(conversation_id, activity_id, Activity(type="messageDelete"))

    def _replace(self, conversation_id: str, activity_id: str, activity: Activity) -> None:
        before = self.sent[int(activity_id) - 1]
        if before.conversation_id != conversation_id or before.activity.type == "messageDelete":
            raise ActivityGone("the channel answered 404 ActivityNotFound")
        self.sent[int(activity_id) - 1] = Sent(conversation_id, activity)
