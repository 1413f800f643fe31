"""Many who want the same thing cause one call."""

import asyncio

import pytest

from bot_logic.single_flight import SingleFlight


class Work:
    def __init__(self, error: Exception | None = None) -> None:
        self.times, self.error, self.finish = 0, error, asyncio.Event()

    async def __call__(self) -> None:
        self.times += 1
        await self.finish.wait()
        if self.error:
            raise self.error


async def test_who_comes_while_it_runs_joins_it() -> None:
    work = Work()
    flight = SingleFlight(work)
    waiting = [asyncio.create_task(flight()) for _ in range(20)]
    await asyncio.sleep(0)
    work.finish.set()
    await asyncio.gather(*waiting)
    assert work.times == 1
    await flight()
    assert work.times == 2


async def test_all_who_wait_see_its_failure_and_the_next_may_try_again() -> None:
    work = Work(ValueError("no"))
    flight = SingleFlight(work)
    waiting = [asyncio.create_task(flight()) for _ in range(3)]
    await asyncio.sleep(0)
    work.finish.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["no"] * 3
    work.error = None
    await flight()
    assert work.times == 2


async def test_one_who_gives_up_does_not_end_it_for_the_others() -> None:
    work = Work()
    flight = SingleFlight(work)
    impatient, patient = asyncio.create_task(flight()), asyncio.create_task(flight())
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    work.finish.set()
    await patient
    assert work.times == 1
