"""After an upgrade, once: conversations stored by an older version are put among the audiences.

    make audiences

Else notifications find them by `all`, `channel`, `user` and `conversation` only after they were
heard from again. It can be repeated, and stopped at any time. AzureWebJobsStorage… in the
environment name the storage account; else local.settings.json does.
"""

import json
import sys

from bot_logic import conversations
from bot_logic.admin.surroundings import carry_out
from bot_logic.clock import SYSTEM_CHANCE, SYSTEM_CLOCK, Clock
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.location import StorageLocation
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


async def run(location: StorageLocation) -> None:
    """Do it in this account, and say how many there were."""
    account = StorageAccount(location, clock=SYSTEM_CLOCK, chance=SYSTEM_CHANCE)
    try:
        done = await complete(account, SYSTEM_CLOCK)
    finally:
        await account.close()
    sys.stdout.write(f"conversations put among the audiences: {done}\n")


if __name__ == "__main__":
    sys.exit(carry_out(run))
