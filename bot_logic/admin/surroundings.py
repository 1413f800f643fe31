"""What an operator's command is told from outside, and how it says that it failed."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from bot_logic import local_settings
from bot_logic.admin.reader import for_a_reader
from bot_logic.errors import ProactiveBotError, ServiceUnavailable
from bot_logic.settings import storage_location
from bot_logic.storage.location import StorageLocation


def environment() -> Mapping[str, str]:
    """Return the settings of local.settings.json, if there is one, and those that win over it."""
    path = Path(local_settings.NAME)
    return {**(local_settings.values_of(path) if path.exists() else {}), **os.environ}


def carry_out(work: Callable[[StorageLocation], Coroutine[Any, Any, None]]) -> int:
    """Do a command's work on the account that the settings name; return its exit code.

    That is 1 if it failed, which is said in a sentence.
    """
    return for_a_reader(lambda: _carried_out(work))


def _carried_out(work: Callable[[StorageLocation], Coroutine[Any, Any, None]]) -> int:
    try:
        asyncio.run(work(storage_location(environment())))
    except ServiceUnavailable as error:
        sys.stderr.write(
            f"{error}: the storage account fails. If it is the local one, is `make run` running?\n"
        )
        return 1
    except ProactiveBotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0
