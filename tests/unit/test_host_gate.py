"""The gate in front of each host: who is asked to wait, and who is not."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from bot_logic.clock import SYSTEM_CHANCE
from bot_logic.delivery.host import FAILURES, FIRST_INTERVAL, LONGEST_PROBE, PROBES, ROUND, SLOW
from bot_logic.delivery.host_gate import MAX_HOSTS, MAX_SLOW, HostGate
from bot_logic.errors import AskedInVain, AskedToWait, HostDown, ServiceUnavailable
from bot_logic.testing import ManualClock
from tests import virtual_time


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def gate(clock: ManualClock) -> HostGate:
    return HostGate(clock, SYSTEM_CHANCE)


async def refuse(gate: HostGate, name: str, seconds: int) -> None:
    with pytest.raises(AskedToWait):
        async with gate.through(name, "m"):
            raise AskedToWait("429", retry_after=seconds)


async def throttle(gate: HostGate, name: str, seconds: int) -> None:
    """Refuse several that were under way together."""
    await asyncio.gather(*(refuse(gate, name, seconds) for _ in range(4)))


async def call(gate: HostGate, name: str) -> None:
    async with gate.through(name, "m"):
        pass


async def test_what_one_learned_about_a_host_holds_for_all_others(
    gate: HostGate, clock: ManualClock
) -> None:
    await throttle(gate, "busy", 7)
    with pytest.raises(AskedToWait, match="busy asked to wait") as told:
        await call(gate, "busy")
    assert told.value.retry_after is not None
    assert told.value.retry_after >= 7
    await call(gate, "other")
    clock.advance(7)
    await call(gate, "busy")
    clock.advance(1)
    await call(gate, "busy")


async def test_a_host_that_goes_on_throttling_is_left_alone_ever_longer(
    gate: HostGate, clock: ManualClock
) -> None:
    waits = []
    for _ in range(6):
        await throttle(gate, "busy", 0)
        waits.append(0.0)
        while True:
            try:
                gate.check("busy")
            except AskedToWait:
                clock.advance(0.25)
                waits[-1] += 0.25
            else:
                break
    assert waits == sorted(waits)
    assert waits[-1] >= 8 * waits[0]


async def test_those_who_are_turned_away_are_spread_over_the_time_they_will_take(
    gate: HostGate,
) -> None:
    await throttle(gate, "busy", 1)
    told = []
    for _ in range(200):
        try:
            gate.check("busy")
        except AskedToWait as error:
            told.append(error.retry_after or 0)
    assert min(told) >= 1
    assert 100 * FIRST_INTERVAL < max(told) <= 202 * FIRST_INTERVAL + 1
    assert len(set(told)) > 5


async def test_a_host_that_hangs_does_not_take_all_places(
    gate: HostGate, clock: ManualClock
) -> None:
    await call(gate, "hangs")  # at first it answers
    async with AsyncExitStack() as hanging:
        for _ in range(MAX_SLOW):
            await hanging.enter_async_context(gate.through("hangs", "m"))
        await call(gate, "hangs")  # they are not slow yet
        clock.advance(SLOW + 1)
        with pytest.raises(AskedToWait, match="does not answer"):
            await call(gate, "hangs")
        await call(gate, "good")
    await call(gate, "hangs")


async def test_a_host_that_has_not_answered_is_asked_by_some_only(gate: HostGate) -> None:
    async with AsyncExitStack() as asking:
        for _ in range(MAX_SLOW):
            await asking.enter_async_context(gate.through("new", "m"))
        with pytest.raises(AskedToWait, match="has not answered yet"):
            await call(gate, "new")
        waiting = asyncio.create_task(call(gate, "new"))
        await asyncio.sleep(0)
    await waiting


async def test_a_refusal_now_and_then_holds_nobody_else_up(gate: HostGate) -> None:
    for _ in range(100):
        await refuse(gate, "moody", 60)
        for _ in range(9):
            await call(gate, "moody")


async def test_a_failure_of_another_kind_is_no_reason_to_wait(gate: HostGate) -> None:
    with pytest.raises(ServiceUnavailable):
        async with gate.through("broken", "m"):
            raise ServiceUnavailable("500")
    await call(gate, "broken")


async def fail(gate: HostGate, name: str, message: str) -> ServiceUnavailable:
    with pytest.raises(ServiceUnavailable) as raised:
        async with gate.through(name, message):
            raise ServiceUnavailable("503")
    return raised.value


async def take_down(gate: HostGate, name: str) -> None:
    for number in range(FAILURES):
        await fail(gate, name, f"m{number}")


async def test_a_host_that_fails_for_every_message_is_asked_by_a_few_and_none_is_to_blame(
    gate: HostGate, clock: ManualClock
) -> None:
    await take_down(gate, "down")
    with pytest.raises(HostDown, match="down fails"):
        await call(gate, "down")
    await call(gate, "other")
    clock.advance(LONGEST_PROBE)
    async with AsyncExitStack() as probes:
        for _ in range(PROBES):
            await probes.enter_async_context(gate.through("down", "m"))
        with pytest.raises(HostDown):
            await call(gate, "down")
    await call(gate, "down")  # which it now is no more


async def test_a_probe_that_fails_is_no_failed_attempt(gate: HostGate, clock: ManualClock) -> None:
    counted = [(await fail(gate, "down", f"m{n}")).is_failed_attempt for n in range(FAILURES)]
    assert counted == [True, True, False]
    clock.advance(LONGEST_PROBE)
    assert isinstance(await fail(gate, "down", "m0"), AskedInVain)


async def test_one_message_that_always_fails_does_not_take_a_host_down(gate: HostGate) -> None:
    for _ in range(10 * FAILURES):
        assert (await fail(gate, "good", "poison")).is_failed_attempt
    await call(gate, "good")


async def test_a_host_is_down_again_at_the_first_failure_after_one_success(
    gate: HostGate, clock: ManualClock
) -> None:
    await take_down(gate, "down")
    clock.advance(LONGEST_PROBE)
    await call(gate, "down")
    assert isinstance(await fail(gate, "down", "m9"), AskedInVain)
    clock.advance(LONGEST_PROBE)
    await call(gate, "down")
    await call(gate, "down")
    assert (await fail(gate, "down", "m9")).is_failed_attempt


@pytest.mark.parametrize("waiting", [2, 200, 10_000])
async def test_the_more_wait_for_a_host_that_is_down_the_later_they_come_again(
    gate: HostGate, waiting: int
) -> None:
    await take_down(gate, "down")
    told = []
    for _ in range(waiting):
        try:
            gate.check("down")
        except HostDown as error:
            told.append(error.retry_after or 0)
    assert min(told) >= 1
    assert max(told) <= waiting * ROUND + 2
    assert max(told) >= waiting * ROUND / 2


def test_who_may_be_held_waits_for_a_probe_to_succeed_but_not_for_ever() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        gate = HostGate(virtual_time.LoopClock(loop), SYSTEM_CHANCE)
        works_at = 7.0

        async def answer() -> None:
            await asyncio.sleep(0.1)
            if loop.time() < works_at:
                raise ServiceUnavailable("503")

        async def held(number: int) -> str:
            try:
                async with gate.through("down", f"m{number}", hold=5):
                    await answer()
            except ServiceUnavailable as error:
                return f"{type(error).__name__} at {loop.time():.0f}"
            return f"done at {loop.time():.0f}"

        await asyncio.gather(*(held(number) for number in range(FAILURES)))
        first = await asyncio.gather(*(held(number) for number in range(20)))
        assert first.count("HostDown at 5") >= 20 - 4 * PROBES
        second = await asyncio.gather(*(held(number) for number in range(20)))
        assert second == ["done at 8"] * 20

    virtual_time.run(scenario())


def test_a_host_that_fails_while_it_is_left_alone_holds_nobody_for_ever() -> None:
    async def scenario() -> None:
        gate = HostGate(virtual_time.LoopClock(asyncio.get_running_loop()), SYSTEM_CHANCE)

        async def answer() -> None:
            await asyncio.sleep(1)
            raise ServiceUnavailable("503")

        async def failing(number: int) -> None:
            with suppress(ServiceUnavailable):
                async with gate.through("moody", f"m{number}"):
                    await answer()

        await call(gate, "moody")
        slow = [asyncio.create_task(failing(number)) for number in range(FAILURES)]
        await asyncio.sleep(0)
        await throttle(gate, "moody", 30)  # so that the failures come while it is left alone
        await asyncio.gather(*slow)
        with pytest.raises(HostDown):
            async with gate.through("moody", "m", hold=5):
                pass

    virtual_time.run(scenario())


async def test_only_so_many_hosts_are_remembered(gate: HostGate) -> None:
    await throttle(gate, "first", 60)
    await asyncio.gather(*(call(gate, f"host {number}") for number in range(MAX_HOSTS)))
    await call(gate, "first")
