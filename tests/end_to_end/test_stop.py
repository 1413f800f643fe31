"""A host that is told to stop, as at each deployment, while it delivers."""

import asyncio

import pytest
from azure.storage.queue.aio import QueueClient

from bot_logic.contract.envelope import QUEUE_NAME
from tests.end_to_end.conftest import RunningStack
from tests.resilience.local_direct_line import CONVERSATIONS, LocalDirectLine

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXTS = [f"in flight {number}" for number in range(5)]


async def test_deliveries_in_flight_finish_when_the_host_is_told_to_stop(
    running: RunningStack,
) -> None:
    async with running.direct_line() as direct_line:
        await running.restart("functions", **{"AzureWebJobs.hand_to_bot.Disabled": "true"})
        await say_all(direct_line)
        await running.fail({"on": "bot_send", "delay": 3.0, "times": len(TEXTS)})
        await running.restart("functions")
        await until_in_flight(direct_line)
        await running.processes.stop("functions")  # SIGTERM
        delivered = await direct_line.delivered()
        assert sorted(delivered.keys() & set(TEXTS)) == TEXTS
        assert {len(delivered[text]) for text in TEXTS} == {1}
        connection = running.stack.storage_connection
        async with QueueClient.from_connection_string(connection, QUEUE_NAME) as queue:
            assert not (await queue.get_queue_properties()).approximate_message_count
        await running.processes.start(running.programs["functions"])


async def say_all(direct_line: LocalDirectLine) -> None:
    started = await direct_line.call("POST", CONVERSATIONS, {"user": {"id": "dl_grace"}})
    for text in TEXTS:
        message = {"type": "message", "from": {"id": "dl_grace"}, "text": text}
        path = f"{CONVERSATIONS}/{started['conversationId']}/activities"
        await direct_line.call("POST", path, message)


async def until_in_flight(direct_line: LocalDirectLine) -> None:
    async with asyncio.timeout(10):
        while True:
            (rule, *_) = reversed(await direct_line.call("GET", "/local/faults"))
            if rule["hits"] >= len(TEXTS):
                return
            await asyncio.sleep(0.05)
