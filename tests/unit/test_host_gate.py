"""The gate in front of each host: who is asked to wait, and who is not."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from bot_logic.clock import SYSTEM_CHANCE
from bot_logic.delivery.host_gate import FIRST_INTERVAL, MAX_HOSTS, MAX_SLOW, SLOW, HostGate
from bot_logic.errors import AskedToWait, ServiceUnavailable
from bot_logic.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def gate(clock: ManualClock) -> HostGate:
    return HostGate(clock, SYSTEM_CHANCE)


async def refuse(gate: HostGate, name: str, seconds: int) -> None:
    with pytest.raises(AskedToWait):
        async with gate.through(name):
            raise AskedToWait("429", retry_after=seconds)


async def throttle(gate: HostGate, name: str, seconds: int) -> None:
    """Refuse several that were under way together."""
    await asyncio.gather(*(refuse(gate, name, seconds) for _ in range(4)))


async def call(gate: HostGate, name: str) -> None:
    async with gate.through(name):
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
    async with AsyncExitStack() as hanging:
        for _ in range(MAX_SLOW):
            await hanging.enter_async_context(gate.through("hangs"))
        await call(gate, "hangs")  # they are not slow yet
        clock.advance(SLOW + 1)
        with pytest.raises(AskedToWait, match="does not answer"):
            await call(gate, "hangs")
        await call(gate, "good")
    await call(gate, "hangs")


async def test_a_refusal_now_and_then_holds_nobody_else_up(gate: HostGate) -> None:
    for _ in range(100):
        await refuse(gate, "moody", 60)
        for _ in range(9):
            await call(gate, "moody")


async def test_a_failure_of_another_kind_is_no_reason_to_wait(gate: HostGate) -> None:
    with pytest.raises(ServiceUnavailable):
        async with gate.through("broken"):
            raise ServiceUnavailable("500")
    await call(gate, "broken")


async def test_only_so_many_hosts_are_remembered(gate: HostGate) -> None:
    await throttle(gate, "first", 60)
    await asyncio.gather(*(call(gate, f"host {number}") for number in range(MAX_HOSTS)))
    await call(gate, "first")
