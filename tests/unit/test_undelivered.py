"""How long a message waits for its next attempt."""

import pytest

from bot_logic.undelivered import LONGEST_PAUSE, pause_before_next


@pytest.mark.parametrize("asked_for", [0, 1, 7, 3600])
def test_what_a_neighbour_asked_for_is_kept_to_the_second(asked_for: int) -> None:
    assert {pause_before_next(attempts, asked_for) for attempts in (1, 5, 20)} == {asked_for}


@pytest.mark.parametrize(
    ("attempts", "middle"),
    [(1, 5), (2, 10), (3, 20), (10, 2560), (11, LONGEST_PAUSE), (10_000, LONGEST_PAUSE)],
)
def test_each_pause_is_twice_as_long_give_or_take_a_quarter(attempts: int, middle: float) -> None:
    pauses = [pause_before_next(attempts, None) for _ in range(200)]
    assert 0.75 * middle - 1 <= min(pauses)
    assert max(pauses) <= 1.25 * middle + 1


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({pause_before_next(8, None) for _ in range(100)}) > 50
