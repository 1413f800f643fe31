"""The README's example: another program speaks through the bot."""

import asyncio
import sys
from pathlib import Path

import pytest

from bot_logic.conversations import TABLE_NAME
from local_dev.programs import Program, Running
from tests.expected import proactive
from tests.functional.app_under_test import NOWHERE, AppUnderTest
from tests.functional.azurite_process import Azurite

EXAMPLE = Path(__file__).parents[2] / "examples/order_ready.py"


async def run_the_kitchens(connection: str, *words: str) -> tuple[int, str]:
    """Its exit code, and what it printed."""
    command = [sys.executable, str(EXAMPLE), *words]
    kitchen = Running(
        Program("order_ready", command, environment={"AzureWebJobsStorage": connection})
    )
    code = await asyncio.to_thread(kitchen.ends)
    return code, kitchen.printed


async def test_the_kitchens_program_reaches_everyone_the_bot_has_met(
    app: AppUnderTest, azurite: Azurite
) -> None:
    await app.wiring.storage.table(TABLE_NAME).drop()
    ada, bob = await app.user(), await app.user("dl_bob", "Bob")
    await app.queue.create_queue()
    told = await run_the_kitchens(azurite.connection_string, "Your", "pizza", "is", "ready.")
    assert told == (0, "2 message(s) put on the queue\n")
    assert await app.run_worker() == 2
    for user in (ada, bob):
        assert (await user.hears(2))[1] == await proactive("Your pizza is ready.")


@pytest.mark.parametrize(
    "connection",
    [
        NOWHERE,
        "nonsense",
    ],
    ids=["nothing runs", "malformed"],
)
async def test_without_storage_it_says_so_in_a_line(connection: str) -> None:
    code, printed = await run_the_kitchens(connection)
    assert code == 1
    assert printed.count("\n") == 1
    assert "Is `make run` running?" in printed


async def test_before_anybody_said_hello_it_says_so(app: AppUnderTest, azurite: Azurite) -> None:
    await app.wiring.storage.table(TABLE_NAME).drop()
    assert await run_the_kitchens(azurite.connection_string) == (
        1,
        "The bot knows nobody yet: open the chat page and say hello to it first.\n",
    )
