"""Anyone may ask for the app's health, so asking must stay cheap."""

import asyncio

import pytest

from bot_logic.errors import QueueNotCreated
from bot_logic.health import KEPT_FOR, PASSED_FOR, Health, Seldom
from bot_logic.testing import ManualClock


class Checked:
    """A neighbour that counts how often it is looked at."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times, self.error = 0, error

    async def __call__(self) -> None:
        self.times += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error


async def test_many_who_ask_at_once_cause_one_check() -> None:
    queue = Checked()
    it = Health({"queue": queue}, ManualClock())
    reports = await asyncio.gather(*(it.report() for _ in range(50)))
    assert all(report.healthy for report in reports)
    assert queue.times == 1


async def test_a_report_is_made_anew_when_it_is_old() -> None:
    queue, clock = Checked(), ManualClock()
    it = Health({"queue": queue}, clock)
    await it.report()
    clock.advance(KEPT_FOR)
    await it.report()
    assert queue.times == 1
    clock.advance(0.1)
    await it.report()
    assert queue.times == 2


async def test_one_failure_makes_the_whole_unhealthy_and_shows_no_detail() -> None:
    checks = {"queue": Checked(QueueNotCreated("with a detail")), "tables": Checked()}
    it = Health(checks, ManualClock())
    report = await it.report()
    assert not report.healthy
    assert report.checks == {"queue": "unreachable: QueueNotCreated", "tables": "reachable"}


async def test_a_neighbour_that_never_answers_is_given_up() -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    report = await Health({"queue": hangs}, ManualClock(), patience=0.01).report()
    assert report.checks == {"queue": "unreachable: TimeoutError"}


async def test_what_costs_others_something_is_not_asked_again_while_it_counts_as_right() -> None:
    secret, clock = Checked(), ManualClock()
    check = Seldom(secret, clock)
    await check()
    clock.advance(PASSED_FOR - 1)
    await check()
    assert secret.times == 1
    clock.advance(1)
    await check()
    assert secret.times == 2


async def test_what_failed_is_asked_again_at_once() -> None:
    secret = Checked(QueueNotCreated("refused"))
    check = Seldom(secret, ManualClock())
    for _ in range(2):
        with pytest.raises(QueueNotCreated):
            await check()
    assert secret.times == 2
