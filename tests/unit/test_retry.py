"""What becomes of a message after a failed attempt, and how long it waits for the next one."""

from dataclasses import replace

import pytest

from bot_logic.contract.envelope import MAX_REASON, Envelope
from bot_logic.contract.retry import LONGEST_PAUSE, GiveUp, PutBack, decide, pause_before_next
from bot_logic.errors import (
    AskedToWait,
    AttemptUnderWay,
    ConversationGone,
    ExpiredMessage,
    MessageNotInserted,
    OversizedMessage,
    PermanentError,
    Refused,
    RetryableError,
    ServiceUnavailable,
    UndecodableMessage,
)

FRACTIONS = [number / 100 for number in range(100)]
ENVELOPE = Envelope("id-1", {"channelId": "directline"}, "hello", created=1)


@pytest.mark.parametrize("asked_for", [0, 1, 7, 3600])
def test_what_a_dependency_asked_for_is_kept_at_least_and_not_by_all_at_once(
    asked_for: int,
) -> None:
    pauses = [pause_before_next(5, asked_for, fraction) for fraction in FRACTIONS]
    assert min(pauses) == asked_for
    assert max(pauses) <= asked_for * 1.25 + 2
    assert len(set(pauses)) > 1


@pytest.mark.parametrize("error", [AskedToWait("busy", retry_after=7), AttemptUnderWay("ours")])
def test_being_asked_to_wait_is_no_failed_attempt(error: RetryableError) -> None:
    tried = replace(ENVELOPE, attempt=19, first_failure="at first")
    decision = decide(tried, error, max_attempts=20, now=100, fraction=0)
    assert isinstance(decision, PutBack)
    assert decision.envelope == tried


@pytest.mark.parametrize(("left", "delay"), [(86_401, 86_400), (600, 585), (20, 5), (10, 1)])
def test_a_pause_leaves_time_for_a_last_attempt_before_the_message_expires(
    left: int, delay: int
) -> None:
    expiring = replace(ENVELOPE, expires=100 + left)
    busy = AskedToWait("busy", retry_after=86_400)
    decision = decide(expiring, busy, max_attempts=20, now=100, fraction=0)
    assert decision == PutBack(expiring, delay)


@pytest.mark.parametrize(
    ("attempt", "middle"),
    [(1, 5), (2, 10), (3, 20), (10, 2560), (11, LONGEST_PAUSE), (10_000, LONGEST_PAUSE)],
)
def test_each_pause_is_twice_as_long_give_or_take_a_quarter(attempt: int, middle: float) -> None:
    pauses = [pause_before_next(attempt, None, fraction) for fraction in FRACTIONS]
    assert 0.75 * middle - 1 <= min(pauses)
    assert max(pauses) <= 1.25 * middle + 1


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({pause_before_next(8, None, fraction) for fraction in FRACTIONS}) > 50


@pytest.mark.parametrize("error", [ServiceUnavailable("busy"), MessageNotInserted("full")])
def test_what_may_pass_is_tried_again_with_the_attempt_counted(error: RetryableError) -> None:
    failed = replace(ENVELOPE, attempt=1, first_failure=str(error))
    decision = decide(ENVELOPE, error, max_attempts=2, now=100, fraction=0.5)
    assert decision == PutBack(failed, delay=5)


def test_the_next_attempt_comes_when_the_dependency_asked_for_it() -> None:
    busy = ServiceUnavailable("busy", retry_after=77)
    assert decide(ENVELOPE, busy, max_attempts=2, now=100, fraction=0) == PutBack(
        replace(ENVELOPE, attempt=1, first_failure="busy"), delay=77
    )


def test_the_attempt_that_reaches_the_limit_is_the_last() -> None:
    tried_once = replace(ENVELOPE, attempt=1, first_failure="at first")
    error = ServiceUnavailable("busy", retry_after=7)
    assert isinstance(decide(tried_once, error, max_attempts=3, now=100, fraction=0), PutBack)
    decision = decide(tried_once, error, max_attempts=2, now=100, fraction=0)
    assert decision == GiveUp(replace(tried_once, attempt=2), error)


@pytest.mark.parametrize(
    "error",
    [
        UndecodableMessage("no"),
        ExpiredMessage("late"),
        OversizedMessage("large"),
        Refused("never"),
        ConversationGone("gone"),
    ],
)
def test_what_no_retry_helps_is_given_up_at_once(error: PermanentError) -> None:
    failed = replace(ENVELOPE, attempt=1, first_failure=str(error))
    assert decide(ENVELOPE, error, max_attempts=20, now=100, fraction=0) == GiveUp(failed, error)


def test_the_first_failure_is_kept_and_cut_short() -> None:
    once = decide(
        ENVELOPE, ServiceUnavailable("x" * 1000), max_attempts=9, now=100, fraction=0
    ).envelope
    twice = decide(
        once, ServiceUnavailable("another"), max_attempts=9, now=100, fraction=0
    ).envelope
    assert (twice.attempt, twice.first_failure) == (2, "x" * MAX_REASON)
