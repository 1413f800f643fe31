"""What is measured of the pages that are sent."""

from dataclasses import dataclass

from bot_logic.notifications.outcomes import Outcome
from bot_logic.telemetry import Telemetry
from bot_logic.telemetry.names import CHANNEL, LAG, OUTCOME, PAUSES, RECIPIENTS


@dataclass(frozen=True, slots=True)
class PageMetrics:
    """Tells of one page."""

    telemetry: Telemetry
    channel: str

    def came_to(self, outcome: Outcome, recipients: int = 1) -> None:
        """Count recipients that have come to an outcome."""
        for _ in range(recipients):
            self.telemetry.count(RECIPIENTS, {CHANNEL: self.channel, OUTCOME: outcome.value})

    def done(self, outcome: Outcome, lag: float) -> None:
        """Count a recipient for whom it was done, `lag` seconds after it was due."""
        self.came_to(outcome)
        self.telemetry.measure(LAG, max(0.0, lag), {CHANNEL: self.channel})

    def paused(self) -> None:
        """Count that the channel asked to wait."""
        self.telemetry.count(PAUSES, {CHANNEL: self.channel})
