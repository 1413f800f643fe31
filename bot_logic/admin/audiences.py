"""After an upgrade, once: conversations stored by an older version are put among the audiences.

    make audiences

Else notifications find them by `all`, `channel`, `user` and `conversation` only after they were
heard from again. It can be repeated, and stopped at any time. AzureWebJobsStorage… in the
environment name the storage account; else local.settings.json does.
"""

import asyncio
import json
import sys

from bot_logic import conversations
from bot_logic.admin.surroundings import environment
from bot_logic.clock import SYSTEM_CHANCE, SYSTEM_CLOCK, Clock
from bot_logic.errors import ProactiveBotError
from bot_logic.settings import storage_location
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.protocols import Storage


async def complete(storage: Storage, clock: Clock) -> int:
    """Put each conversation that is in no audience into those that it belongs to; return how many.

    Raises:
        ServiceUnavailable: a table cannot be reached; what was done is done.
    """
    known, done = conversations.build(storage, clock), 0
    async for row in storage.table(conversations.TABLE_NAME).rows():
        if not row.columns.get("indexed"):
            await known.remember(json.loads(row.columns["reference"]), rewrite=True)
            done += 1
    return done


async def _run() -> int:
    account = StorageAccount(
        storage_location(environment()), clock=SYSTEM_CLOCK, chance=SYSTEM_CHANCE
    )
    try:
        return await complete(account, SYSTEM_CLOCK)
    finally:
        await account.close()


def main() -> int:
    """Do it, and say how many there were; the exit code is 1 if that failed."""
    try:
        sys.stdout.write(f"conversations put among the audiences: {asyncio.run(_run())}\n")
    except ProactiveBotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
