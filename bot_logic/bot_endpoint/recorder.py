"""Keeps the store of conversation references up to date with what each activity tells."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from botbuilder.schema import Activity, ActivityTypes

from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.contract.envelope import WORKER_USER_ID
from bot_logic.conversations.references import Conversations, Reference
from bot_logic.deadline import within
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.protocols import RowRefused

RECORD_TIMEOUT: Final = 6  # seconds; a table itself takes 5 at most

# What else comes from somebody there. It shows that the bot is not blocked; but it makes no
# conversation known, for a message extension is used where the bot was never added, too.
_SIGNS_OF_LIFE: Final = frozenset(
    {
        ActivityTypes.event,
        ActivityTypes.invoke,
        ActivityTypes.message_delete,
        ActivityTypes.message_reaction,
        ActivityTypes.message_update,
        ActivityTypes.typing,
    }
)

logger = logging.getLogger(__name__)


class ConversationRecorder:
    """Records the conversations that the bot can continue, beside the turns."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def beside(self, activity: Activity, turn: Coroutine[Any, Any, Any]) -> Any:
        """Run a turn and record its conversation meanwhile; return what the turn returns.

        The turn goes on whether the conversation can be recorded or not.
        """
        recording = self._recording(activity)
        if recording is None:
            return await turn
        _, result = await asyncio.gather(_try(recording, activity), turn)
        return result

    def _recording(self, activity: Activity) -> Coroutine[Any, Any, None] | None:
        """Return the work to do for this activity; None for most of them."""
        if _bot_was_removed(activity):
            return self._conversations.forget(reference_of(activity))
        if _user_was_added(activity):
            return self._conversations.remember(reference_of(activity), rewrite=True)
        if _is_worker(activity.from_property):
            return None
        if activity.type == ActivityTypes.message:
            reference = reference_of(activity)
            if not self._conversations.knows(reference):
                return self._conversations.remember(reference)
        if activity.type in _SIGNS_OF_LIFE:
            return self._conversations.unblock(activity.channel_id, activity.conversation.id)
        return None


async def _try(recording: Coroutine[Any, Any, None], activity: Activity) -> None:
    try:
        async with within(RECORD_TIMEOUT, leaving=0.25):
            await recording
    except (ServiceUnavailable, RowRefused, TimeoutError) as error:
        reason = str(error) or "TimeoutError"
        logger.warning("conversation %s not recorded: %s", _id_of(activity), reason)


def reference_of(activity: Activity) -> Reference:
    """Return where an activity came from, as JSON: enough to speak there later.

    It names no activity to answer to, and in a group no single user.
    """
    reference = {
        "channelId": activity.channel_id,
        "serviceUrl": activity.service_url,
        "conversation": write(activity.conversation),
        "bot": write(activity.recipient),
    }
    if activity.from_property is not None and not activity.conversation.is_group:
        reference["user"] = write(activity.from_property)
    if activity.locale is not None:
        reference["locale"] = activity.locale
    return reference


def _id_of(activity: Activity) -> str:
    return f"{activity.channel_id}/{activity.conversation.id}"


def _is_worker(account: Any) -> bool:
    return account is not None and account.id == WORKER_USER_ID


def _bot_was_removed(activity: Activity) -> bool:
    if activity.type == ActivityTypes.installation_update:
        return bool(activity.action == "remove")
    if activity.type != ActivityTypes.conversation_update:
        return False
    return activity.recipient.id in {member.id for member in activity.members_removed or ()}


def _user_was_added(activity: Activity) -> bool:
    if activity.type == ActivityTypes.installation_update:
        return bool(activity.action == "add")
    if activity.type != ActivityTypes.conversation_update:
        return False
    added = {member.id for member in activity.members_added or ()}
    return bool(added - {activity.recipient.id, WORKER_USER_ID})
