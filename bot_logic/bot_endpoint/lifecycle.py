"""What an activity says about its conversation: that it begins, goes on, or has ended.

The one rule for all kinds of activities: `lifecycle_of`. Its sources:
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/subscribe-to-conversation-events
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from botbuilder.schema import Activity, ActivityTypes
from botframework.connector import Channels

from bot_logic.addresses import is_id
from bot_logic.contract.envelope import WORKER_USER_ID


class Lifecycle(Enum):
    """What becomes of a conversation's reference."""

    BEGINS = auto()  # it is stored, whatever was stored before
    GOES_ON = auto()  # it is stored if it is new or has moved
    IS_ALIVE = auto()  # if it is stored, it is not blocked, and may have moved
    ENDS = auto()  # it is deleted
    CHANNEL_ENDS = auto()  # that of another channel of the team is deleted: `deleted_channel`
    SAYS_NOTHING = auto()


_INSTALLING: Final = (ActivityTypes.installation_update, ActivityTypes.contact_relation_update)
_INSTALLATIONS: Final = {
    "add": Lifecycle.BEGINS,
    "add-upgrade": Lifecycle.BEGINS,
    "remove": Lifecycle.ENDS,
    "remove-upgrade": Lifecycle.ENDS,
}
_CHANNEL_HAS_ENDED: Final = "channelDeleted"
_TEAM_HAS_ENDED: Final = ("teamDeleted", "teamHardDeleted")
# Here the bot is added whenever somebody, even the queue worker, opens a chat in which nothing may
# ever be said.
_OPENED_BY_CLIENTS: Final = (Channels.direct_line, Channels.webchat)
# What else comes from somebody there. It makes no conversation known, for a message extension is
# used where the bot was never added, too.
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


def lifecycle_of(activity: Activity) -> Lifecycle:
    """Return what an activity says about the conversation that it came from.

    The queue worker's own conversation, which Direct Line announces like any other, never begins.
    """
    if activity.type in _INSTALLING:
        return _INSTALLATIONS.get(str(activity.action).lower(), Lifecycle.SAYS_NOTHING)
    if activity.type == ActivityTypes.conversation_update:
        return _of_update(activity)
    if _is_ended(activity):
        return Lifecycle.ENDS
    if _is_from_worker(activity):
        return Lifecycle.SAYS_NOTHING
    if activity.type == ActivityTypes.message:
        return Lifecycle.GOES_ON
    return Lifecycle.IS_ALIVE if activity.type in _SIGNS_OF_LIFE else Lifecycle.SAYS_NOTHING


def deleted_channel(activity: Activity) -> str:
    """Return the conversation id of the channel that a team's update says is deleted, or "".

    The update itself comes from the team's General channel, which stays. Only Teams is believed:
    on other channels a client may write what it likes into `channelData`.
    """
    if activity.channel_id != Channels.ms_teams or _team_event(activity) != _CHANNEL_HAS_ENDED:
        return ""
    channel = activity.channel_data.get("channel")
    deleted = channel.get("id") if isinstance(channel, Mapping) else None
    return str(deleted) if is_id(deleted) else ""


def is_group(activity: Activity) -> bool:
    """Tell whether more than one person may be in an activity's conversation."""
    conversation = activity.conversation
    return bool(conversation.is_group) or conversation.conversation_type in ("groupChat", "channel")


def is_own(activity: Activity) -> bool:
    """Tell whether a message is the bot's own, which some channels send back to it.

    A message of any bot is none of a user: two that answer each other would never end.
    """
    sender = activity.from_property
    if activity.type != ActivityTypes.message or sender is None:
        return False
    return sender.role == "bot" or (sender.id is not None and sender.id == activity.recipient.id)


def _is_ended(activity: Activity) -> bool:
    if activity.type == ActivityTypes.delete_user_data:
        return not is_group(activity)  # whose reference names no user
    return bool(activity.type == ActivityTypes.end_of_conversation)


def _of_update(activity: Activity) -> Lifecycle:
    bot = activity.recipient.id
    if bot in _ids(activity.members_removed) or _team_event(activity) in _TEAM_HAS_ENDED:
        return Lifecycle.ENDS
    if deleted_channel(activity):
        return Lifecycle.CHANNEL_ENDS
    added = _ids(activity.members_added)
    if added - {bot, WORKER_USER_ID}:
        return Lifecycle.BEGINS
    if bot in added and not added - {bot} and not _is_from_worker(activity):
        opened = activity.channel_id in _OPENED_BY_CLIENTS and not is_group(activity)
        return Lifecycle.SAYS_NOTHING if opened else Lifecycle.BEGINS
    return Lifecycle.SAYS_NOTHING


def _ids(members: Any) -> set[str]:
    return {member.id for member in members or () if member.id}


def _team_event(activity: Activity) -> Any:
    """Return Teams' own name for what happened, or None."""
    data = activity.channel_data
    return data.get("eventType") if isinstance(data, Mapping) else None


def _is_from_worker(activity: Activity) -> bool:
    sender = activity.from_property
    return sender is not None and sender.id == WORKER_USER_ID
