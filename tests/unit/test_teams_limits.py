"""The stand-in for Teams: a sliding second holds 50 requests, and 7 to one conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_dev.teams_connector.limits import OVERALL, PER_CONVERSATION, Limits


def test_a_conversation_takes_seven_in_a_second_and_says_when_there_is_room_again() -> None:
    limits = Limits()
    for number in range(PER_CONVERSATION):
        assert limits.judge("one", number / 10) is None
    exceeded = limits.judge("one", 0.75)
    assert exceeded is not None
    assert (exceeded.limit, exceeded.wait) == ("conversation", 0.25)
    assert limits.judge("two", 0.75) is None
    assert limits.judge("one", 1.0) is None


def test_all_conversations_together_take_fifty_in_a_second() -> None:
    limits = Limits()
    judged = [limits.judge(f"{number}", 0.5) for number in range(OVERALL + 3)]
    assert judged[:OVERALL] == [None] * OVERALL
    assert [each and each.limit for each in judged[OVERALL:]] == ["overall"] * 3
    assert limits.busiest == OVERALL + 3
    assert limits.judge("late", 1.5) is None


@given(st.lists(st.tuples(st.floats(0, 0.3), st.sampled_from("abc")), max_size=120))
def test_no_second_ever_holds_more_and_whoever_waits_as_told_is_taken(
    requests: list[tuple[float, str]],
) -> None:
    limits, now, taken = Limits(overall=5, per_conversation=2), 0.0, list[tuple[float, str]]()
    for pause, conversation in requests:
        now += pause
        exceeded = limits.judge(conversation, now)
        if exceeded is None:
            taken.append((now, conversation))
        else:
            assert 0 < exceeded.wait <= 1
    for start, _ in taken:
        second = [name for at, name in taken if start <= at < start + 1 - 1e-9]
        assert len(second) <= 5
        assert all(second.count(name) <= 2 for name in second)


@pytest.mark.parametrize("rate", [47, 50])
def test_who_keeps_to_the_limit_exceeds_none(rate: int) -> None:
    limits = Limits()
    assert not any(limits.judge(f"{n}", n / rate + 1e-6 * n) for n in range(500))
