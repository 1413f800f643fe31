"""What the stand-in remembers: who refuses what, what was taken, what exceeded a limit."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from local_dev.teams_connector.limits import Exceeded, Limits
from local_dev.teams_connector.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Taken:
    """An activity that was taken.

    Attributes:
        conversation: its id.
        text: of the activity, as it is now.
        at: Unix time, seconds.
        deleted: whether the bot has deleted it.
    """

    conversation: str
    text: str
    at: float
    deleted: bool = False


@dataclass
class TeamsConnector:
    """One bot in one tenant.

    Attributes:
        limits: what a second may hold.
        refusals: who takes nothing, by the id of a conversation or of a user.
        taken: in the order in which they came.
        refused: how often each refusal was answered.
        updated: how often an activity was replaced.
        violations: how many requests exceeded which limit, and were answered 429.
        url: where it is served.
    """

    limits: Limits = field(default_factory=Limits)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    updated: int = 0
    url: str = ""

    def judge(self, conversation: str, now: float) -> Exceeded | Refusal | None:
        """Say why a request is not taken; None if it is."""
        if exceeded := self.limits.judge(conversation, now):
            self.violations[exceeded.limit] += 1
            return exceeded
        refusal = self.refusals.get(conversation)
        if refusal is not None:
            self.refused[refusal] += 1
        return refusal

    def find(self, conversation: str, activity_id: str) -> int | None:
        """Return the place in `taken` of an activity that is still there; None if there is none."""
        place = int(activity_id) - 1 if activity_id.isdecimal() else -1
        if not 0 <= place < len(self.taken):
            return None
        found = self.taken[place]
        return None if found.deleted or found.conversation != conversation else place

    def counts(self) -> dict[str, Any]:
        """Return what tests and people want to know, as JSON."""
        return {
            "accepted": len(self.taken),
            "deleted": sum(each.deleted for each in self.taken),
            "updated": self.updated,
            "refused": dict(self.refused),
            "violations": dict(self.violations),
            "busiestSecond": self.limits.busiest,
            "conversations": dict(Counter(each.conversation for each in self.taken)),
        }
