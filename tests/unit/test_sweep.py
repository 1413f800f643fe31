"""The sweep deletes what nobody has written for long, and nothing else."""

import pytest

from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.memory import Fault, MemoryStorage
from bot_logic.storage.protocols import MAX_TRANSACTION, Key
from bot_logic.storage.sweep import LONGEST_RUN, Sweep
from bot_logic.testing import ManualClock

DAY = 24 * 3600


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.storage = MemoryStorage(self.clock)
        self.sweep = Sweep(self.storage, {"a": DAY, "b": 2 * DAY}, self.clock)

    async def write(self, table: str, *names: str) -> None:
        for name in names:
            await self.storage.table(table).put(Key(name[0], name), {"x": 1})

    async def left(self, table: str) -> list[str]:
        return [row.key.row async for row in self.storage.table(table).rows()]


@pytest.fixture
def world() -> World:
    return World()


async def test_each_table_keeps_its_rows_for_its_own_time(world: World) -> None:
    for table in "abc":
        await world.write(table, "old")
    world.clock.advance(DAY + 1)
    await world.write("a", "new")
    assert await world.sweep.run() == {"a": 1, "b": 0}
    world.clock.advance(DAY)
    assert await world.sweep.run() == {"a": 0, "b": 1}
    assert [await world.left(table) for table in "abc"] == [["new"], [], ["old"]]


async def test_many_rows_go_in_few_transactions_each_of_one_partition(world: World) -> None:
    names = [f"{partition}{n:04}" for partition in "pq" for n in range(MAX_TRANSACTION + 1)]
    await world.write("a", *names)
    world.clock.advance(DAY + 1)
    transactions = world.storage.faults.add(Fault("table.transact"))
    assert (await world.sweep.run())["a"] == len(names)
    assert transactions.met == 4
    assert await world.left("a") == []


async def test_a_row_that_is_written_meanwhile_stays(world: World) -> None:
    await world.write("a", "p1", "q1")
    world.clock.advance(DAY + 1)
    rows = world.storage.table("a").rows(written_before=world.clock.now() - DAY)
    await anext(rows)  # as far as the sweep has looked
    await world.write("a", "p1")
    assert (await world.sweep.run())["a"] == 1
    assert await world.left("a") == ["p1"]


async def test_a_run_has_an_end(world: World) -> None:
    await world.write("a", "p1", "q1")
    world.clock.advance(DAY + 1)
    table = world.storage.table("a")

    class Slow(ManualClock):
        def elapsed(self) -> float:
            self.advance(LONGEST_RUN * 0.6)
            return super().elapsed()

    slow = Slow(world.clock.now())
    assert await Sweep(world.storage, {"a": 0}, slow).run() == {"a": 1}
    assert len([row async for row in table.rows()]) == 1


async def test_a_table_that_is_down_is_said_and_swept_later(world: World) -> None:
    await world.write("a", "p1")
    world.clock.advance(DAY + 1)
    world.storage.faults.add(Fault("table.transact", ServiceUnavailable("down"), times=1))
    with pytest.raises(ServiceUnavailable, match="down"):
        await world.sweep.run()
    assert (await world.sweep.run())["a"] == 1
