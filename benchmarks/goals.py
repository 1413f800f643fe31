"""What each row compares, and what it has to reach."""

from dataclasses import dataclass


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

    def verdict(self, ratio: float) -> str:
        """Return "yes" or "no", or "" if this row only informs."""
        if self.at_least is None and self.at_most is None:
            return ""
        high_enough = self.at_least is None or ratio >= self.at_least
        low_enough = self.at_most is None or ratio <= self.at_most
        return "yes" if high_enough and low_enough else "no"

    def shown(self, ratio: float) -> str:
        """Return a ratio as a reader likes it."""
        return f"{ratio * 100:.0f} %" if self.unit == "%" else f"{ratio:.3g} times"

    @property
    def sentence(self) -> str:
        """What is asked for."""
        if self.at_least is not None:
            return f"at least {self.shown(self.at_least)}"
        return "for information" if self.at_most is None else f"at most {self.shown(self.at_most)}"


GOALS = {
    "echo": Goal("echo turns, not authenticated", "the SDK's CloudAdapter", at_least=12),
    "floor": Goal("echo turns, not authenticated", "aiohttp, no SDK", at_least=0.45, unit="%"),
    "echo_auth": Goal("echo turns, authenticated", "the SDK's CloudAdapter", at_least=12),
    "turn": Goal("the template's turns", "naively on the SDK, state in memory", at_least=6),
    "turn_stored": Goal("the template's turns", "the same, state in the SDK's blobs", at_least=6),
    "turn_worker": Goal("the same by the Functions worker", "an empty function there", unit="%"),
    "proactive": Goal("proactive messages", "the SDK's continue_conversation", at_least=20),
    "proactive_floor": Goal("proactive messages", "bare posts", at_least=0.7, unit="%"),
    "trigger": Goal("the same by signed triggers, each kept to once", "bare posts", unit="%"),
    "import": Goal("importing function_app", "the SDK and azure.functions", at_most=1.15),
    "import_memory": Goal("memory after that", "the limit", at_most=1, unit="%"),
}
