"""What becomes of a message while storage fails: the same with both queue listeners.

Short trouble passes unseen. From half a minute on, the real host shuts down, and is started again.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from local_dev.ports import free_ports
from tests.functional import real_listener
from tests.functional.azurite_process import Azurite
from tests.functional.functions_host_process import Host
from tests.functional.listeners import listening
from tests.functional.queue_weather import Failure, Operation, QueueWeather, queue_weather

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT, LONG = 15.0, 40.0  # seconds
PATIENCE = 40.0  # seconds; the last try of a row comes 13 s after the one before
A_LOOK = 5.0  # seconds within which a host that was started again has seen what it can see
GOOD, BAD = json.dumps({"text": "good"}), json.dumps({"fail": True})
SETTINGS = {
    "visibilityTimeout": "00:00:00",
    "maxDequeueCount": 2,
    "maxPollingInterval": "00:00:01",
    "messageEncoding": "none",
}


@dataclass(frozen=True)
class End:
    """What becomes of a message, and of the host, which is started again if it ends.

    Attributes:
        calls: how often the function is called.
        hidden: whether the message is still on its queue, until its lock has run out.
        poison: how many copies are on the poison queue.
        host_ends: whether the host shuts down.
    """

    calls: int = 1
    hidden: bool = False
    poison: int = 0
    host_ends: bool = False


DELIVERED, POISONED = End(), End(calls=2, poison=1)
LOCKED = End(hidden=True, host_ends=True)
RECEIVE, PUT, DELETE, UPDATE = Operation
RESET, BUSY = Failure
Row = tuple[Operation, Failure, float, str]
ROWS: dict[Row, End] = {
    (RECEIVE, RESET, SHORT, GOOD): DELIVERED,
    (RECEIVE, BUSY, SHORT, GOOD): DELIVERED,
    (RECEIVE, RESET, LONG, GOOD): End(host_ends=True),
    (RECEIVE, BUSY, LONG, GOOD): DELIVERED,
    (DELETE, RESET, SHORT, GOOD): DELIVERED,
    (DELETE, BUSY, SHORT, GOOD): DELIVERED,
    (DELETE, RESET, LONG, GOOD): LOCKED,
    (DELETE, BUSY, LONG, GOOD): LOCKED,
    (DELETE, BUSY, LONG, BAD): End(calls=2, hidden=True, poison=1, host_ends=True),
    (UPDATE, RESET, SHORT, BAD): POISONED,
    (UPDATE, BUSY, SHORT, BAD): POISONED,
    (UPDATE, RESET, LONG, BAD): LOCKED,
    (UPDATE, BUSY, LONG, BAD): LOCKED,
    (PUT, RESET, SHORT, BAD): POISONED,
    (PUT, BUSY, SHORT, BAD): POISONED,
    (PUT, RESET, LONG, BAD): End(calls=2, hidden=True, host_ends=True),
    (PUT, BUSY, LONG, BAD): End(calls=2, hidden=True, host_ends=True),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ends(
    azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[Row, End]]:
    """What became of each row, by kind of listener; all at once, as each waits for a minute."""
    kinds = ["stand-in", "Microsoft's"] if real_listener.found() else ["stand-in"]
    every = [(row, tmp_path_factory.mktemp("row"), kind) for kind in kinds for row in ROWS]
    found = await asyncio.gather(*(_end_of(*each, azurite) for each in every))
    by_kind: dict[str, dict[Row, End]] = {kind: {} for kind in kinds}
    for (row, _, kind), end in zip(every, found, strict=True):
        by_kind[kind][row] = end
    return by_kind


@pytest.mark.parametrize("kind", ["stand-in", "Microsoft's"])
async def test_a_message_survives_an_outage_as_its_row_says(
    kind: str, ends: dict[str, dict[Row, End]]
) -> None:
    if kind not in ends:
        real_listener.program()  # which says why not
    assert ends[kind] == ROWS


async def _end_of(row: Row, folder: Path, kind: str, azurite: Azurite) -> End:
    operation, failure, seconds, text = row
    async with queue_weather(azurite) as weather:
        host = Host(weather, folder, free_ports(1)[0])
        await asyncio.to_thread(host.create_queue)
        await asyncio.to_thread(host.put, text, raw=True)
        weather.fail(operation, failure)
        try:
            calls, host_ends = await _listen(kind, host, folder, weather, seconds)
            if host_ends:
                more, _ = await _listen(kind, host, folder, weather, 0)
                calls += more
            hidden, poison = await asyncio.to_thread(lambda: (host.left(), host.left("-poison")))
        finally:
            await asyncio.to_thread(host.kill)
    return End(calls, bool(hidden), poison, host_ends)


async def _listen(
    kind: str, host: Host, folder: Path, weather: QueueWeather, seconds: float
) -> tuple[int, bool]:
    """Return how often the function was called, and whether the host has ended by itself.

    The weather clears after some seconds, or when the host has ended.
    """
    async with listening(kind, host, SETTINGS, folder) as listener:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await listener.ends()
                weather.clear()
                return len(listener.calls()), True
        weather.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE if seconds else A_LOOK):
                while await asyncio.to_thread(host.left):  # noqa: ASYNC110 - no events
                    await asyncio.sleep(0.5)
        return len(listener.calls()), False
