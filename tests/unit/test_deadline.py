"""One deadline for a turn, known to everything that the turn waits for."""

import asyncio
from collections.abc import Awaitable

import pytest

from bot_logic.deadline import deadline, to_its_end, within

SOON = 0.02  # seconds
FOREVER = 60.0


async def never() -> None:
    await asyncio.Event().wait()


async def is_cut_short(work: Awaitable[None]) -> bool:
    """Whether it ends with a TimeoutError, and that long before `FOREVER`."""
    begun = asyncio.get_running_loop().time()
    try:
        await work
    except TimeoutError:
        return asyncio.get_running_loop().time() - begun < FOREVER / 10
    return False


async def waiting(seconds: float, leaving: float = 0) -> None:
    async with within(seconds, leaving=leaving):
        await never()


async def test_what_takes_longer_than_the_deadline_is_cancelled() -> None:
    async def turn() -> None:
        async with deadline(SOON):
            await never()

    assert await is_cut_short(turn())


async def test_what_is_in_time_is_left_alone() -> None:
    async with deadline(FOREVER), within(FOREVER, leaving=1):
        await asyncio.sleep(0)


async def test_without_a_deadline_only_the_own_limit_counts() -> None:
    async with within(FOREVER, leaving=2 * FOREVER):
        await asyncio.sleep(0)
    assert await is_cut_short(waiting(SOON))


async def test_the_own_limit_counts_where_the_deadline_is_far() -> None:
    async with deadline(FOREVER):
        assert await is_cut_short(waiting(SOON))


async def test_the_deadline_counts_where_the_own_limit_is_far_and_leaves_what_is_to_be_left() -> (
    None
):
    async with deadline(FOREVER):
        assert await is_cut_short(waiting(FOREVER, leaving=FOREVER - SOON))


async def test_where_no_time_is_left_nothing_is_waited_for() -> None:
    async with deadline(1):
        assert await is_cut_short(waiting(FOREVER, leaving=2))


async def test_tasks_that_a_turn_starts_know_its_deadline() -> None:
    async with deadline(FOREVER):
        assert await is_cut_short(asyncio.create_task(waiting(FOREVER, leaving=FOREVER)))


async def test_a_deadline_ends_with_its_block() -> None:
    async with deadline(1):
        pass
    async with within(FOREVER, leaving=2):
        await asyncio.sleep(SOON)


async def test_two_turns_at_once_have_a_deadline_each() -> None:
    async def turn(seconds: float) -> bool:
        async with deadline(seconds):
            return await is_cut_short(waiting(2 * SOON, leaving=seconds - SOON))

    assert all(await asyncio.gather(turn(FOREVER), turn(2 * FOREVER)))


class Sending:
    """Work that cannot be taken back once it has begun."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.finish, self.error = asyncio.Event(), asyncio.Event(), error
        self.is_done = False

    async def __call__(self) -> str:
        self.begun.set()
        await self.finish.wait()
        self.is_done = True
        if self.error:
            raise self.error
        return "sent"


async def test_work_that_nobody_cancels_returns_what_it_returns() -> None:
    sending = Sending()
    sending.finish.set()
    assert await to_its_end(sending()) == "sent"


async def test_work_that_nobody_cancels_raises_what_it_raises() -> None:
    sending = Sending(ValueError("refused"))
    sending.finish.set()
    with pytest.raises(ValueError, match="refused"):
        await to_its_end(sending())


@pytest.mark.parametrize("error", [None, ValueError("refused")], ids=["success", "failure"])
async def test_a_cancellation_waits_for_the_works_end(error: Exception | None) -> None:
    sending = Sending(error)
    caller = asyncio.create_task(to_its_end(sending()))
    await sending.begun.wait()
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    sending.finish.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert sending.is_done


async def test_a_deadline_ends_after_the_work_that_goes_to_its_end() -> None:
    sending = Sending()
    asyncio.get_running_loop().call_later(3 * SOON, sending.finish.set)
    with pytest.raises(TimeoutError):
        async with deadline(SOON):
            await to_its_end(sending())
    assert sending.is_done
