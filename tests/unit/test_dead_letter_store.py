"""The dead-letter store: filed once, not while its message may still be delivered."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic import delivery
from bot_logic.clock import SYSTEM_CHANCE
from bot_logic.contract.envelope import POISON_QUEUE_NAME
from bot_logic.delivery.idempotency import LEASE
from bot_logic.storage.memory import Fault, MemoryQueue, MemoryStorage, QueuedMessage
from bot_logic.storage.protocols import RowRefused
from bot_logic.testing import ManualClock
from tests import virtual_time
from tests.strategies import json_values

DEAD_LETTER = json.dumps({"error": "Refused", "reason": "no", "message": {"id": "m1", "text": "x"}})


_words = st.text(min_size=1) | st.text(min_size=1200)
_letters = st.fixed_dictionaries(
    {"error": _words, "reason": _words, "message": json_values}, optional={"attempts": json_values}
).map(json.dumps)


@dataclass(frozen=True)
class OnTheQueue:
    """As azure.functions.QueueMessage."""

    body: bytes | str
    id: str = "queue-id"

    def get_body(self) -> bytes | str:
        return self.body


class World:
    def __init__(self, clock: Any = None) -> None:
        self.clock = clock or ManualClock()
        self.storage = MemoryStorage(self.clock)
        self.delivery = delivery.build(self.storage, self.clock, SYSTEM_CHANCE, max_attempts=1)

    @property
    def poison_queue(self) -> MemoryQueue:
        return self.storage.queue(POISON_QUEUE_NAME)

    async def file_all(self) -> int:
        messages: list[QueuedMessage] = self.poison_queue.receive()
        for message in messages:
            await self.delivery.dead_letters.file(message)
            self.poison_queue.delete(message)
        return len(messages)

    async def filed(self) -> list[str]:
        return [filed.dead_letter.id async for filed in self.delivery.dead_letters.all()]


async def test_a_dead_letter_waits_while_its_message_may_still_be_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, started, may_end = World(), asyncio.Event(), asyncio.Event()
    await world.poison_queue.put(DEAD_LETTER)

    async def deliver(_done: list[str]) -> None:
        started.set()
        await may_end.wait()

    attempt = asyncio.create_task(world.delivery.records.once("m1", deliver))
    await started.wait()
    assert await world.file_all() == 1
    assert (await world.filed(), world.poison_queue.texts) == ([], [DEAD_LETTER])
    may_end.set()
    assert (await attempt).now
    world.clock.advance(LEASE - 1)
    assert await world.file_all() == 0  # until the lease of the attempt has run out
    world.clock.advance(1)
    assert await world.file_all() == 1
    assert (await world.filed(), world.poison_queue.texts) == ([], [])
    assert "dead_letter.dropped message=m1 status=delivered" in caplog.text


def test_a_dead_letter_whose_filing_was_overtaken_by_a_delivery_does_not_stay() -> None:
    async def deliver(_done: list[str]) -> None:
        return

    async def scenario() -> None:
        world = World(virtual_time.LoopClock(asyncio.get_running_loop()))
        await world.poison_queue.put(DEAD_LETTER)
        world.storage.faults.add(Fault("table.put", delay=LEASE + 5, times=1))
        filing = asyncio.create_task(world.file_all())
        await asyncio.sleep(LEASE + 1)
        assert (await world.delivery.records.once("m1", deliver)).now
        await filing
        await asyncio.sleep(LEASE + 1)
        assert await world.file_all() == 1
        assert (await world.filed(), world.poison_queue.texts) == ([], [])

    virtual_time.run(scenario())


async def test_a_dead_letter_that_comes_twice_is_filed_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    await world.poison_queue.put(DEAD_LETTER)
    await world.poison_queue.put(DEAD_LETTER)
    assert await world.file_all() == 2
    assert await world.filed() == ["m1"]
    assert "dead_letter.dropped message=m1 status=deadLettered" in caplog.text


async def test_a_reason_without_an_end_is_filed_with_its_beginning() -> None:
    world = World()
    letter = json.loads(DEAD_LETTER) | {"reason": "x" * 40_000}
    await world.poison_queue.put(json.dumps(letter))
    assert await world.file_all() == 1
    assert (await world.filed(), world.poison_queue.texts) == (["m1"], [])


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"error": "Refused", "reason": "no", "message": "m" * 100_000}),
        json.dumps({"id": "m1", "text": "🍕" * 40_000}),
        "no json" * 10_000,
    ],
    ids=["dead letter", "message", "neither"],
)
async def test_a_dead_letter_that_no_row_can_hold_is_filed_with_its_beginning(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    await world.delivery.dead_letters.file(QueuedMessage("m1", body, visible_at=0))
    (filed,) = [filed async for filed in world.delivery.dead_letters.all()]
    assert filed.dead_letter.id == "m1"
    assert filed.dead_letter.error in ("Refused", "UndecodableMessage")
    assert filed.dead_letter.reason
    assert filed.dead_letter.message.startswith(("mmm", "no json", '{"id":"m1"'))
    assert (
        'dead_letter.cut_short message=m1 reason="table deadletters: PropertyValueTooLarge'
        in caplog.text
    )
    assert world.poison_queue.texts == []
    await world.delivery.dead_letters.purge(filed)
    assert await world.filed() == []


async def test_a_table_that_refuses_every_row_loses_no_dead_letter() -> None:
    world = World()
    await world.poison_queue.put(DEAD_LETTER)
    world.storage.faults.add(Fault("table.put", RowRefused("table deadletters: InvalidInput")))
    assert await world.file_all() == 1
    assert (await world.filed(), world.poison_queue.texts) == ([], [DEAD_LETTER])
    world.storage.faults.clear()
    world.clock.advance(LEASE)
    assert await world.file_all() == 1
    assert (await world.filed(), world.poison_queue.texts) == (["m1"], [])


@given(body=st.binary(max_size=300) | st.text(st.characters(exclude_categories=["Cs"])) | _letters)
def test_whatever_is_on_the_poison_queue_is_filed_listed_and_purged(body: bytes | str) -> None:
    async def scenario() -> None:
        world = World()
        await world.delivery.dead_letters.file(OnTheQueue(body))
        (filed,) = [filed async for filed in world.delivery.dead_letters.all()]
        assert filed.dead_letter.error
        assert filed.dead_letter.reason
        await world.delivery.dead_letters.purge(filed)
        assert await world.filed() == []
        assert world.poison_queue.texts == []

    asyncio.run(scenario())


@pytest.mark.parametrize("body", ['{"id": "m1", "x": 1}', "no json"])
async def test_an_id_from_outside_forges_no_log_line(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    message = QueuedMessage("first\nERROR forged \x1b[31m", body, visible_at=0)
    await world.delivery.dead_letters.file(message)
    assert caplog.records
    assert all(record.getMessage().isprintable() for record in caplog.records)
