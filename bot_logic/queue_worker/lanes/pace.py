"""How fast a lane's notifications to few and to many go, so that together they keep its rate."""

from typing import Final

FEW: Final = 10  # recipients; so few do not wait for a page that is under way
BESIDE: Final = 1.0  # messages a second that go to them beside a page that is under way
MANY_WAITING: Final = 3  # of the few; from then on half of the lane's rate is theirs


class Pace:
    """What part of a lane's rate the few have; all rates are messages a second."""

    def __init__(self) -> None:
        self._kept = 0.0  # by the page of many that was begun last
        self._of_few = 0.0  # those that were begun last
        self._few_free_at = 0.0

    def few_may(self, now: float) -> bool:
        """Tell whether the few that were begun last have had their time; `now` is in seconds."""
        return now >= self._few_free_at

    def of_few(self, size: int, rate: float, now: float, *, beside_many: bool) -> float:
        """Return how fast so few are sent: as fast as a page of many that is under way leaves."""
        self._of_few = self._kept if beside_many else rate
        self._few_free_at = now + size / self._of_few
        return self._of_few

    def of_many(self, rate: float, waiting: int, *, few_are_sent: bool) -> float | None:
        """Return what the few leave of the rate, so many of them waiting; None if nothing."""
        beside = min(BESIDE, rate / 10)
        kept = rate / 2 if waiting >= MANY_WAITING else beside
        if few_are_sent:
            kept = max(kept, self._of_few)
        if kept >= rate:
            return None
        self._kept = kept
        return rate if kept == beside else rate - kept
