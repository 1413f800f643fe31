"""What ends `make run` though nobody has told it to: it waits for one of these, and says which."""

import asyncio
import os
from pathlib import Path

from local_dev.programs import POLL_INTERVAL, ProcessError


async def deleted(folder: Path) -> ProcessError:
    """Wait until somebody deletes the folder in which Azurite keeps its data, or what is in it.

    It would go on with what it has in memory, and fail at every other call.
    """
    texts = folder / "__queuestorage__"  # of the queues' messages, there from its start
    opened = os.open(texts, os.O_RDONLY)  # so that no new one gets its number
    try:
        while True:
            if not _is_still(texts, opened):
                return ProcessError(f"{folder} was deleted while Azurite kept its data there")
            await asyncio.sleep(POLL_INTERVAL)
    finally:
        os.close(opened)


async def orphaned() -> ProcessError:
    """Wait until the process that started this one has ended, however it died."""
    parent = os.getppid()
    while True:
        if os.getppid() != parent:
            return ProcessError("what started this has ended")
        await asyncio.sleep(POLL_INTERVAL)


def _is_still(folder: Path, opened: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(opened))
    except FileNotFoundError:
        return False
