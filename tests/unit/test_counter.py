"""Each message of a conversation gets a number of its own, however many come together."""

import asyncio
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ConversationAccount

from bot_logic.bot_endpoint.counter import MessageCounter
from bot_logic.clock import SYSTEM_CHANCE
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.memory import Fault, MemoryStorage
from bot_logic.testing import ManualClock

NOWHERE: Any = object()  # the SDK wants an adapter, which is never asked


class World:
    def __init__(self) -> None:
        self.storage = MemoryStorage(ManualClock())

    def instance(self) -> MessageCounter:
        return MessageCounter(self.storage.table("botstate"), SYSTEM_CHANCE)


@pytest.fixture
def world() -> World:
    return World()


def turn(conversation_id: str = "c1") -> TurnContext:
    conversation = ConversationAccount(id=conversation_id)
    activity = Activity(type="message", channel_id="test", conversation=conversation)
    return TurnContext(NOWHERE, activity)


async def numbers(counter: MessageCounter, count: int) -> list[int]:
    return list(await asyncio.gather(*(counter.next(turn()) for _ in range(count))))


async def test_messages_are_numbered_in_each_conversation(world: World) -> None:
    counter = world.instance()
    assert [await counter.next(turn(name)) for name in ("a", "b", "a", "a")] == [1, 1, 2, 3]
    assert await world.instance().next(turn("a")) == 4


async def test_those_that_come_together_are_counted_in_few_writes(world: World) -> None:
    counter = world.instance()
    writes = world.storage.faults.add(Fault("table.replace"))
    assert await numbers(counter, 50) == list(range(1, 51))
    assert await numbers(counter, 50) == list(range(51, 101))
    assert writes.met <= 2


async def test_no_number_is_given_twice_by_several_instances(world: World) -> None:
    instances = [world.instance() for _ in range(4)]
    given = await asyncio.gather(*(numbers(each, 25) for each in instances))
    assert sorted(number for each in given for number in each) == list(range(1, 101))


async def test_a_table_that_is_down_is_said_to_all_who_wait_and_not_to_who_comes_later(
    world: World,
) -> None:
    counter = world.instance()
    world.storage.faults.add(Fault("table.read", ServiceUnavailable("down")))
    waiting = [counter.next(turn()) for _ in range(3)]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [ServiceUnavailable] * 3
    world.storage.faults.clear()
    assert await counter.next(turn()) == 1


async def test_a_turn_that_ends_while_it_waits_does_not_hold_up_the_others(world: World) -> None:
    counter = world.instance()
    world.storage.faults.add(Fault("table.read", delay=0.05, times=1))
    first, second = (asyncio.create_task(counter.next(turn())) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == 2
