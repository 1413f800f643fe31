"""The idempotency record: one message comes to one end, whoever is late."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bot_logic.contract.status import Status
from bot_logic.delivery.idempotency import LEASE, Ending, IdempotencyRecords
from bot_logic.delivery.notes import MAX_NOT_NOTED
from bot_logic.delivery.record import Record
from bot_logic.errors import (
    AskedToWait,
    AttemptUnderWay,
    MessageNotInserted,
    Refused,
    ServiceUnavailable,
)
from bot_logic.storage.memory import Fault, MemoryStorage
from bot_logic.storage.memory.faults import ALWAYS
from bot_logic.storage.protocols import digest_key
from bot_logic.testing import ManualClock
from tests import virtual_time
from tests.virtual_time import LoopClock

DELIVERED_NOW = Ending(Status.DELIVERED, now=True)
DELIVERED_BEFORE = Ending(Status.DELIVERED, now=False)


class World:
    """A table that several processes share, and their clock."""

    def __init__(self, clock: Any = None) -> None:
        self.clock = clock or ManualClock()
        self.storage = MemoryStorage(self.clock)
        self.table = self.storage.table("idempotency")

    def process(self) -> IdempotencyRecords:
        return IdempotencyRecords(self.table, self.clock)

    async def record(self, message_id: str = "m1") -> Record:
        found = await self.table.read(digest_key(message_id))
        assert found is not None
        return Record.of(found.columns)

    def fail(self, call: str, *, after: bool = False, times: int = 1) -> None:
        error = ServiceUnavailable("the table is down")
        self.storage.faults.add(Fault(call, error, after=after, times=times))


class Sending:
    """A delivery that can be watched, held up and made to fail."""

    def __init__(self, error: Exception | None = None, *, sends: Sequence[str] = ()) -> None:
        self.times, self.error, self.sends = 0, error, sends
        self.found: list[str] = []
        self.may_end, self.started = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    async def __call__(self, done: list[str]) -> None:
        self.times += 1
        self.found = list(done)
        self.started.set()
        await self.may_end.wait()
        done.extend(self.sends)
        if self.error:
            raise self.error


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def records(world: World) -> IdempotencyRecords:
    return world.process()


async def begun(records: IdempotencyRecords, sending: Sending) -> asyncio.Task[Ending]:
    """An attempt that is under way, for as long as the test likes."""
    sending.may_end.clear()
    attempt = asyncio.create_task(records.once("m1", sending))
    await sending.started.wait()
    return attempt


async def test_a_message_is_sent_once(records: IdempotencyRecords) -> None:
    sending = Sending()
    assert await records.once("m1", sending) == DELIVERED_NOW
    assert await records.once("m1", sending) == DELIVERED_BEFORE
    assert await records.once("m2", sending) == DELIVERED_NOW
    assert sending.times == 2


async def test_what_was_dead_lettered_is_said_to_be_that_and_not_delivered(
    records: IdempotencyRecords,
) -> None:
    filing, sending = Sending(), Sending()
    await records.once("m1", filing, end=Status.DEAD_LETTERED)
    assert await records.once("m1", sending) == Ending(Status.DEAD_LETTERED, now=False)
    assert sending.times == 0


async def test_while_one_attempt_is_under_way_another_is_told_to_come_again(
    records: IdempotencyRecords,
) -> None:
    sending = Sending()
    first = await begun(records, sending)
    with pytest.raises(ServiceUnavailable, match="under way"):
        await records.once("m1", sending)
    sending.may_end.set()
    assert await first == DELIVERED_NOW
    assert sending.times == 1


@pytest.mark.parametrize("error", [ServiceUnavailable("busy"), Refused("never")])
async def test_a_delivery_that_failed_may_be_tried_again_at_once(
    records: IdempotencyRecords, world: World, error: Exception
) -> None:
    sending = Sending(error)
    with pytest.raises(type(error)):
        await records.once("m1", sending)
    assert (await world.record()).status == Status.OPEN
    sending.error = None
    assert await records.once("m1", sending) == DELIVERED_NOW


class Successors:
    """Puts a message back, and remembers how often."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, _error: Exception) -> None:
        self.times += 1


async def test_an_attempt_that_failed_has_one_successor_however_many_copies_come(
    records: IdempotencyRecords, world: World
) -> None:
    sending, put_back = Sending(ServiceUnavailable("busy")), Successors()
    ending = await records.once("m1", sending, attempt=1, on_failure=put_back)
    assert ending == Ending(Status.OPEN, now=True)
    for _ in range(3):
        copy = await world.process().once("m1", sending, attempt=1, on_failure=put_back)
        assert copy == Ending(Status.OPEN, now=False)
    assert (sending.times, put_back.times) == (1, 1)
    sending.error = None
    assert await records.once("m1", sending, attempt=2, on_failure=put_back) == DELIVERED_NOW


async def test_a_copy_of_an_earlier_attempt_is_dropped_while_a_later_one_is_under_way(
    records: IdempotencyRecords,
) -> None:
    sending = Sending()
    sending.may_end.clear()
    later = asyncio.create_task(records.once("m1", sending, attempt=3))
    await sending.started.wait()
    assert await records.once("m1", sending, attempt=2) == Ending(Status.OPEN, now=False)
    with pytest.raises(AttemptUnderWay) as told:
        await records.once("m1", sending, attempt=3)
    assert told.value.retry_after == LEASE + 1
    sending.may_end.set()
    assert await later == DELIVERED_NOW


async def test_being_asked_to_wait_does_not_use_the_attempt_up(
    records: IdempotencyRecords,
) -> None:
    sending, put_back = Sending(AskedToWait("busy", retry_after=1)), Successors()
    await records.once("m1", sending, attempt=1, on_failure=put_back)
    sending.error = None
    assert await records.once("m1", sending, attempt=1, on_failure=put_back) == DELIVERED_NOW


async def test_until_a_failed_message_is_put_back_nobody_else_may_begin(
    records: IdempotencyRecords, world: World
) -> None:
    async def nowhere(_error: Exception) -> None:
        raise MessageNotInserted("the queue is down")

    with pytest.raises(MessageNotInserted):
        await records.once("m1", Sending(ServiceUnavailable("busy")), attempt=1, on_failure=nowhere)
    with pytest.raises(AttemptUnderWay):
        await records.once("m1", Sending(), attempt=1)
    world.clock.advance(LEASE)
    assert await records.once("m1", Sending(), attempt=1) == DELIVERED_NOW


async def test_a_message_that_is_opened_again_starts_with_its_first_attempt(
    records: IdempotencyRecords,
) -> None:
    await records.once("m1", Sending(ServiceUnavailable("x")), attempt=5, on_failure=Successors())
    await records.once("m1", Sending(), end=Status.DEAD_LETTERED)
    assert await records.reopen("m1")
    assert await records.once("m1", Sending(), attempt=1) == DELIVERED_NOW


async def test_what_a_crash_left_under_way_is_sent_when_the_lease_has_run_out(
    records: IdempotencyRecords, world: World
) -> None:
    sending = Sending()
    crashing = await begun(records, sending)
    crashing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await crashing
    sending.may_end.set()
    world.clock.advance(LEASE - 1)
    with pytest.raises(ServiceUnavailable, match="under way"):
        await records.once("m1", sending)
    world.clock.advance(1)
    assert await records.once("m1", sending) == DELIVERED_NOW


@pytest.mark.parametrize("late", [ServiceUnavailable("late"), Refused("late"), None])
async def test_an_attempt_that_lost_its_lease_changes_nothing(
    world: World, late: Exception | None
) -> None:
    slow = Sending(late)
    loser = await begun(world.process(), slow)
    world.clock.advance(LEASE)
    assert await world.process().once("m1", Sending()) == DELIVERED_NOW
    slow.may_end.set()
    await asyncio.gather(loser, return_exceptions=True)
    record = await world.record()
    assert (record.status, record.attempt) == (Status.DELIVERED, 2)
    assert await world.process().once("m1", Sending()) == DELIVERED_BEFORE


async def test_filing_that_comes_late_does_not_overwrite_delivered(world: World) -> None:
    slow = Sending()
    slow.may_end.clear()
    filing = asyncio.create_task(world.process().once("m1", slow, end=Status.DEAD_LETTERED))
    await slow.started.wait()
    world.clock.advance(LEASE)
    await world.process().once("m1", Sending())
    slow.may_end.set()
    await filing
    assert (await world.record()).status == Status.DELIVERED
    assert not await world.process().reopen("m1")


def test_what_was_done_is_noted_as_soon_as_the_table_is_back() -> None:
    async def scenario() -> None:
        world = World(LoopClock(asyncio.get_running_loop()))
        records, sending = world.process(), Sending()
        world.fail("table.replace", times=6)
        assert await records.once("m1", sending) == DELIVERED_NOW
        assert (await world.record()).status == Status.DELIVERED
        assert await world.process().once("m1", sending) == DELIVERED_BEFORE
        assert sending.times == 1

    virtual_time.run(scenario())


def test_what_could_not_be_noted_within_the_lease_is_not_sent_again_by_this_process() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        world = World(LoopClock(loop))
        records, sending = world.process(), Sending()
        world.fail("table.replace", times=ALWAYS)
        assert await records.once("m1", sending) == DELIVERED_NOW
        assert loop.time() < LEASE
        assert await records.once("m1", sending) == DELIVERED_BEFORE
        assert sending.times == 1

    virtual_time.run(scenario())


def test_what_is_remembered_is_bounded() -> None:
    async def scenario() -> None:
        world = World(LoopClock(asyncio.get_running_loop()))
        records = world.process()
        world.fail("table.replace", times=ALWAYS)
        names = [f"m{number}" for number in range(MAX_NOT_NOTED + 1)]
        await asyncio.gather(*(records.once(name, Sending()) for name in names))
        assert await records.once("m1", Sending()) == DELIVERED_BEFORE
        with pytest.raises(ServiceUnavailable, match="under way"):
            await records.once("m0", Sending())

    virtual_time.run(scenario())


async def test_a_note_whose_answer_was_lost_knows_itself(
    records: IdempotencyRecords, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.fail("table.replace", after=True)
    assert await records.once("m1", Sending()) == DELIVERED_NOW
    assert (await world.record()).status == Status.DELIVERED
    assert "message.lease_lost" not in caplog.text


@pytest.mark.parametrize("call", ["table.insert", "table.read"])
async def test_without_the_table_nothing_is_sent(
    records: IdempotencyRecords, world: World, call: str
) -> None:
    if call == "table.read":
        with pytest.raises(Refused):
            await records.once("m1", Sending(Refused("never")))
    world.fail(call)
    sending = Sending()
    with pytest.raises(ServiceUnavailable, match="the table is down"):
        await records.once("m1", sending)
    assert sending.times == 0


def test_what_was_not_noted_in_time_is_noted_before_the_next_message() -> None:
    async def scenario() -> None:
        world = World(LoopClock(asyncio.get_running_loop()))
        records = world.process()
        world.fail("table.replace", times=ALWAYS)
        assert await records.once("m1", Sending()) == DELIVERED_NOW
        world.storage.faults.clear()
        await records.once("m2", Sending())
        assert await world.process().once("m1", Sending()) == DELIVERED_BEFORE

    virtual_time.run(scenario())


async def test_what_a_failed_attempt_has_sent_is_told_to_the_next_whatever_process_it_is_in(
    records: IdempotencyRecords, world: World
) -> None:
    with pytest.raises(RuntimeError):
        await records.once("m1", Sending(RuntimeError("a fault"), sends=["17"]))
    second = Sending(ServiceUnavailable("busy"), sends=["18"])
    await world.process().once("m1", second, attempt=2, on_failure=Successors())
    third = Sending()
    assert await world.process().once("m1", third, attempt=3) == DELIVERED_NOW
    assert (second.found, third.found) == (["17"], ["17", "18"])


async def test_ids_without_end_are_kept_as_their_number(
    records: IdempotencyRecords, world: World
) -> None:
    with pytest.raises(ServiceUnavailable):
        await records.once("m1", Sending(ServiceUnavailable("x"), sends=["i" * 128] * 300))
    assert (await world.record()).done == ("",) * 300


async def test_many_at_once_send_once(world: World) -> None:
    sending = Sending()
    outcomes = await asyncio.gather(
        *(world.process().once("m1", sending) for _ in range(10)), return_exceptions=True
    )
    assert outcomes.count(DELIVERED_NOW) == 1
    assert sending.times == 1


async def test_a_dead_lettered_message_can_be_opened_again_and_a_delivered_one_cannot(
    records: IdempotencyRecords,
) -> None:
    assert await records.reopen("m1")
    await records.once("m1", Sending(), end=Status.DEAD_LETTERED)
    assert await records.reopen("m1")
    assert await records.status("m1") == Status.OPEN
    assert await records.once("m1", Sending()) == DELIVERED_NOW
    assert not await records.reopen("m1")


async def test_what_is_under_way_is_not_opened_again(records: IdempotencyRecords) -> None:
    sending = Sending()
    attempt = await begun(records, sending)
    with pytest.raises(ServiceUnavailable, match="under way"):
        await records.reopen("m1")
    sending.may_end.set()
    await attempt


async def test_columns_of_others_are_kept(records: IdempotencyRecords, world: World) -> None:
    page = Record(Status.OPEN, 3, 0, {"outcomes": "[]", "recipients": "[1, 2]"})
    await world.table.insert(digest_key("m1"), page.to_row())
    await records.once("m1", Sending())
    record = await world.record()
    assert record.details == page.details
    assert (record.status, record.attempt) == (Status.DELIVERED, 4)


@pytest.mark.parametrize("status", list(Status))
def test_a_record_is_read_as_it_was_written(status: Status) -> None:
    record = Record(status, 2, 1_800_000_040, {"more": "1"})
    assert Record.of(record.to_row()) == record
    assert status.is_final == (status in (Status.DELIVERED, Status.DEAD_LETTERED))
