"""Conversations, kept in memory: who takes part, what was said, who listens. No I/O."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from local_dev.direct_line.wire import ApiError, JsonObject, conversation_not_found

# https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md#message-delete-activity
DELETED: Final = "messageDelete"


@dataclass
class Conversation:
    """One conversation and its log.

    A position in the log (a "watermark" on the wire) is the number of entries before it. An entry
    that was deleted or replaced leaves a gap, so positions handed out before stay true.

    Attributes:
        id: Unguessable, as it is part of URLs.
        user: The account given when the conversation or its token was made, if any. Its id is
            bound into every token of the conversation.
        started: False while only a token was generated.
        forgotten: True once the service knows nothing of it any more; its streams then end.
        members: The users seen so far, by id.
        untold: What the bot has still to be told, as it was not up yet.
        listeners: Called, with nothing, after each change.
    """

    id: Final[str]
    user: JsonObject = field(default_factory=dict)
    started: bool = False
    forgotten: bool = False
    members: dict[str, JsonObject] = field(default_factory=dict)
    untold: list[JsonObject] = field(default_factory=list)
    listeners: set[Callable[[], None]] = field(default_factory=set)
    _log: list[JsonObject | None] = field(default_factory=list)

    def to_document(self) -> JsonObject:
        """Return all of it, as JSON."""
        return {
            "id": self.id,
            "user": self.user,
            "started": self.started,
            "members": self.members,
            "untold": self.untold,
            "log": self._log,
        }

    @classmethod
    def from_document(cls, document: JsonObject) -> "Conversation":
        """Read what `to_document` returned."""
        return cls(
            document["id"],
            document["user"],
            started=document["started"],
            members=document["members"],
            untold=document.get("untold", []),
            _log=document["log"],
        )

    def start(self, user: JsonObject) -> bool:
        """Start it, unless it runs already; `user` counts if none was known before."""
        first, self.started = not self.started, True
        self.user = self.user or user
        if self.user:
            self.members.setdefault(self.user["id"], self.user)
        self.notify()
        return first

    def has_to_tell(self, update: JsonObject) -> None:
        """Keep what the bot has to be told until it was."""
        self.untold.append(update)
        self.notify()

    def has_told(self, update: JsonObject) -> None:
        """Keep no longer what the bot was told, or could not be told in time."""
        self.untold.remove(update)
        self.notify()

    def append(self, activity: JsonObject) -> JsonObject:
        """Add an activity with the id and the time it gets here, and return it so."""
        stamp = {"id": f"{self.id}|{len(self._log) + 1:07d}", "timestamp": now()}
        return self._write(activity | stamp)

    def replace(self, activity_id: str, activity: JsonObject) -> None:
        """Put a new version in place of an activity: listeners get it, replays only see it."""
        index, old = self._find(activity_id)
        self._log[index] = None
        self._write(activity | {"id": activity_id, "timestamp": old["timestamp"]})

    def remove(self, activity_id: str) -> None:
        """Take an activity out of later replays, and tell listeners that it is gone."""
        index, old = self._find(activity_id)
        self._log[index] = None
        kept = {name: old[name] for name in ("channelId", "conversation", "from") if name in old}
        self._write(kept | {"type": DELETED, "id": activity_id, "timestamp": now()})

    def after(self, position: int) -> tuple[list[JsonObject], int]:
        """Return what was said after a position, and the position to ask from next."""
        return [entry for entry in self._log[position:] if entry is not None], len(self._log)

    def notify(self) -> None:
        """Tell every listener that something changed."""
        for listener in self.listeners:
            listener()

    def _write(self, activity: JsonObject) -> JsonObject:
        self._log.append(activity)
        self.notify()
        return activity

    def _find(self, activity_id: str) -> tuple[int, JsonObject]:
        for index, entry in enumerate(self._log):
            if entry is not None and entry.get("type") != DELETED and entry["id"] == activity_id:
                return index, entry
        raise ApiError(404, "ActivityNotFound", f"There is no activity {activity_id!r}.")


class Conversations:
    """All conversations of this process, by id.

    Attributes:
        changes: How often anything has changed.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Conversation] = {}
        self.changes = 0

    def __iter__(self) -> Iterator[Conversation]:
        return iter(self._by_id.values())

    def create(self, user: JsonObject) -> Conversation:
        """Make a conversation that was not started yet."""
        conversation = Conversation(secrets.token_hex(12), user)
        self.add([conversation])
        return conversation

    def add(self, conversations: Iterable[Conversation]) -> None:
        """Take in conversations, and count what changes in them."""
        for each in conversations:
            self._by_id[each.id] = each
            each.listeners.add(self._count)
            self._count()

    def _count(self) -> None:
        self.changes += 1

    def known(self, conversation_id: str) -> Conversation:
        """Return a conversation, started or not.

        Raises:
            ApiError: 404.
        """
        conversation = self._by_id.get(conversation_id)
        if conversation is None:
            raise conversation_not_found(conversation_id)
        return conversation

    def running(self, conversation_id: str) -> Conversation:
        """Return a conversation that was started.

        Raises:
            ApiError: 404.
        """
        conversation = self.known(conversation_id)
        if not conversation.started:
            raise conversation_not_found(conversation_id)
        return conversation

    def forget(self, conversation_id: str) -> None:
        """Know nothing of a conversation any more, as after the service restarted."""
        conversation = self.known(conversation_id)
        del self._by_id[conversation_id]
        conversation.forgotten = True
        conversation.notify()


def now() -> str:
    """Return the time in the form activities carry."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
