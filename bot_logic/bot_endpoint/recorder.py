"""Keeps the store of conversation references up to date with what each activity tells."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from botbuilder.schema import Activity

from bot_logic.bot_endpoint.lifecycle import Lifecycle, deleted_channel, is_group, lifecycle_of
from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.conversations.references import Conversations
from bot_logic.conversations.threads import Reference
from bot_logic.deadline import within
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.protocols import RowRefused
from bot_logic.telemetry.log_events import Event, EventLog, fingerprint

RECORD_TIMEOUT: Final = 6  # seconds; a table itself takes 5 at most

log = EventLog(__name__)


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
        match lifecycle_of(activity):
            case Lifecycle.ENDS:
                return self._conversations.forget(reference_of(activity))
            case Lifecycle.CHANNEL_ENDS:
                gone = {"conversation": {"id": deleted_channel(activity)}}
                return self._conversations.forget(reference_of(activity) | gone)
            case Lifecycle.BEGINS:
                return self._conversations.remember(reference_of(activity), rewrite=True)
            case Lifecycle.GOES_ON:
                reference = reference_of(activity)
                known = self._conversations.knows(reference)
                return None if known else self._conversations.remember(reference)
            case Lifecycle.IS_ALIVE:
                return self._conversations.heard_from(
                    activity.channel_id, activity.conversation.id, activity.service_url
                )
        return None


async def _try(recording: Coroutine[Any, Any, None], activity: Activity) -> None:
    try:
        async with within(RECORD_TIMEOUT, leaving=0.25):
            await recording
    except (ServiceUnavailable, RowRefused, TimeoutError) as error:
        reason = str(error) or "TimeoutError"
        log.warning(
            Event.CONVERSATION_NOT_RECORDED,
            channel=activity.channel_id,
            conversation=fingerprint(activity.conversation.id),
            reason=reason,
        )


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
    if _is_with_one_user(activity):
        reference["user"] = write(activity.from_property)
    if activity.locale is not None:
        reference["locale"] = activity.locale
    return reference


def _is_with_one_user(activity: Activity) -> bool:
    sender = activity.from_property
    return sender is not None and sender.id != activity.recipient.id and not is_group(activity)
