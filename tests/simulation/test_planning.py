"""Planning stops at any call of storage, and goes on: everybody is on one page, and on one only."""

import asyncio
import contextlib
from collections import Counter

import pytest

from bot_logic import conversations, notifications
from bot_logic.addresses import ServiceUrls
from bot_logic.clock import SYSTEM_CHANCE
from bot_logic.conversations.audiences import groups
from bot_logic.errors import RetryableError, ServiceUnavailable
from bot_logic.notifications.notification import Notification
from bot_logic.storage.memory import Fault, MemoryStorage
from bot_logic.telemetry import OFF
from bot_logic.testing import ManualClock

PEOPLE = (
    150  # of as many lanes as there are tenants, so that there are more pages than one step has
)
TENANTS = 50
DAY = 86400
DOWN = ServiceUnavailable("made to fail")


class World:
    def __init__(self) -> None:
        clock = ManualClock()
        self.storage = MemoryStorage(clock)
        self.known = conversations.build(self.storage, clock)
        self.parts = notifications.build(
            self.storage,
            self.known.audiences,
            self.known.skips,
            clock,
            SYSTEM_CHANCE,
            as_sent=lambda activity, _: activity,
            lifetime=DAY,
            telemetry=OFF,
            kept_for=DAY,
            service_urls=ServiceUrls((), loopback=True),
        )
        now = int(clock.now())
        to = {"all": True, "at_most": PEOPLE, "groups": True}
        self.notification = Notification("n", to, {"type": "message"}, now, now + DAY, now)

    async def meets(self, count: int) -> None:
        for number in range(count):
            await self.known.remember(
                {
                    "channelId": f"channel {number % 2}",
                    "serviceUrl": "http://localhost",
                    "conversation": {
                        "id": f"c{number}",
                        "tenantId": f"t{number % TENANTS}",
                        "isGroup": number % 5 == 0,
                    },
                    "user": {"id": f"u{number}"},
                }
            )

    async def plans(self) -> None:
        for _ in range(4):
            with contextlib.suppress(RetryableError, TimeoutError):
                async with asyncio.timeout(0.2):  # for a call that never ends
                    await self.parts.planner.plan("n")

    async def on_pages(self) -> Counter[str]:
        pages = [stored.page async for stored in self.parts.store.pages("n")]
        return Counter(each.key for page in pages for each in page.recipients)


@pytest.mark.parametrize("weather", ["refused", "lost answer", "dies"])
async def test_everybody_is_on_one_page_wherever_planning_stops(weather: str) -> None:
    at_call = 0
    while True:
        world = World()
        await world.meets(PEOPLE)
        await world.parts.store.insert(world.notification)
        world.storage.faults.add(Fault("", times=at_call))
        fault = Fault("", DOWN, after=weather == "lost answer", times=1)
        if weather == "dies":
            fault = Fault("", hangs=True, times=1)
        world.storage.faults.add(fault)
        await world.plans()
        world.storage.faults.clear()
        found = await world.on_pages()
        assert (len(found), set(found.values())) == (PEOPLE, {1}), f"{weather} at call {at_call}"
        head = await world.parts.store.head("n")
        assert head is not None
        assert head.notification.planned
        if not fault.met:
            break
        at_call += 7  # a step has some 70 calls of six kinds
    assert at_call > 100
    assert any(key.startswith(groups("channel 0")) for key in found)


async def test_who_comes_or_goes_meanwhile_leaves_the_others_on_one_page() -> None:
    world = World()
    await world.meets(PEOPLE)
    await world.parts.store.insert(world.notification)
    before = {f"c{number}" for number in range(PEOPLE)}
    calls = world.storage.faults.add(Fault("queue.put", DOWN, times=1))
    with contextlib.suppress(ServiceUnavailable):
        await world.parts.planner.plan("n")  # the first step is written
    assert calls.met
    for number in range(0, PEOPLE, 10):
        await world.known.forget(
            {"channelId": f"channel {number % 2}", "conversation": {"id": f"c{number}"}}
        )
    await world.meets(PEOPLE + 40)
    await world.plans()
    found = await world.on_pages()
    assert set(found.values()) == {1}
    assert len(found) >= len(before)
