"""The README's example: another program speaks through the bot."""

import asyncio
import sys
from pathlib import Path

from bot_logic.conversations import TABLE_NAME
from local_dev.programs import Program, Running
from tests.expected import proactive
from tests.functional.app_under_test import AppUnderTest
from tests.functional.azurite_process import Azurite

EXAMPLE = Path(__file__).parents[2] / "examples/order_ready.py"


async def test_the_kitchens_program_reaches_everyone_the_bot_has_met(
    app: AppUnderTest, azurite: Azurite
) -> None:
    await app.wiring.storage.table(TABLE_NAME).drop()
    ada, bob = await app.user(), await app.user("dl_bob", "Bob")
    await app.queue.create_queue()
    command = [sys.executable, str(EXAMPLE), "Your", "pizza", "is", "ready."]
    settings = {"AzureWebJobsStorage": azurite.connection_string}
    kitchen = Running(Program("order_ready", command, environment=settings))
    assert await asyncio.to_thread(kitchen.ends) == 0
    assert kitchen.printed == "2 message(s) put on the queue\n"
    assert await app.run_worker() == 2
    for user in (ada, bob):
        assert (await user.hears(2))[1] == await proactive("Your pizza is ready.")
