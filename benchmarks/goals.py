"""What each row compares, and what it has to reach."""

from dataclasses import dataclass

from benchmarks.outcome import Outcome


@dataclass(frozen=True)
class Goal:
    """A row's goal.

    Attributes:
        what: is measured.
        other: with what it is compared.
        at_least: the ratio may not be lower, if this is a number.
        at_most: nor higher.
        unit: "times", or "%" if ratios below 1 are the rule.
    """

    what: str
    other: str
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "times"

    def is_met(self, outcome: Outcome) -> bool | None:
        """Whether it is; None if this row only informs."""
        if self.at_least is None and self.at_most is None:
            return None
        high_enough = self.at_least is None or outcome.ratio >= self.at_least
        return high_enough and (self.at_most is None or outcome.ratio <= self.at_most)

    def shown(self, ratio: float) -> str:
        """A ratio as a reader likes it."""
        return f"{ratio * 100:.0f} %" if self.unit == "%" else f"{ratio:.3g} times"

    @property
    def sentence(self) -> str:
        """What is asked for."""
        if self.at_least is not None:
            return f"at least {self.shown(self.at_least)}"
        return "for information" if self.at_most is None else f"at most {self.shown(self.at_most)}"


GOALS = {
    "echo": Goal("echo turns, not authenticated", "the SDK's CloudAdapter", at_least=12),
    "echo_auth": Goal("echo turns, authenticated", "the SDK's CloudAdapter", at_least=12),
    "floor": Goal("echo turns, not authenticated", "aiohttp, no SDK", at_least=0.45, unit="%"),
    "turn": Goal("the template's turns", "naively on the SDK, state in memory", at_least=6),
    "turn_stored": Goal("the template's turns", "the same, state in the SDK's blobs", at_least=6),
    "proactive": Goal("proactive messages", "the SDK's continue_conversation", at_least=20),
    "proactive_floor": Goal("proactive messages", "bare posts", at_least=0.7, unit="%"),
    "trigger": Goal("the same by signed triggers, each kept to once", "bare posts", unit="%"),
    "calls": Goal("HTTP calls from worker to user", "the old template", at_most=0.75, unit="%"),
    "latency": Goal("queue to user, idle, polling left out", "its parts alone", at_most=1.3),
    "import": Goal("importing function_app", "the SDK and azure.functions", at_most=1.15),
    "import_memory": Goal("memory after that", "the limit", at_most=1, unit="%"),
    "growth_stored": Goal("turns, most stored conversations", "fewest", at_most=1.1),
    "growth_stored_memory": Goal("memory, most stored conversations", "fewest", at_most=1.1),
    "growth_queued": Goal("deliveries, most waiting messages", "fewest", at_most=1.1),
    "growth_queued_memory": Goal("memory, most waiting messages", "fewest", at_most=1.1),
}
