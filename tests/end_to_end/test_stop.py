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
    connection = running.stack.storage_connection
    async with (
        running.direct_line() as direct_line,
        QueueClient.from_connection_string(connection, QUEUE_NAME) as queue,
    ):
        await running.restart("functions", **{"AzureWebJobs.hand_to_bot.Disabled": "true"})
        await queue.clear_messages()  # what other tests have left to be tried again
        await say_all(direct_line)
        await running.fail({"on": "bot_send", "delay": 3.0, "times": len(TEXTS)})
        await running.restart("functions")
        await until_in_flight(direct_line)
        await running.processes.stop("functions")  # SIGTERM
        delivered, left = await direct_line.delivered(), await queue.get_queue_properties()
        await running.processes.start(running.programs["functions"])  # which others need
        assert sorted(delivered.keys() & set(TEXTS)) == TEXTS
        assert {len(delivered[text]) for text in TEXTS} == {1}
        assert not left.approximate_message_count


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
