"""How often storage is asked, and which failures may pass: as with the real host's client."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TypeVar

from azure.core.exceptions import AzureError, HttpResponseError

WAITS = (0.8, 1.6, 3.2, 6.4, 12.8)  # seconds between six tries

T = TypeVar("T")


async def insist(ask: Callable[[], Awaitable[T]], waits: Sequence[float] = WAITS) -> T:
    """Ask storage until it answers, at most once more than there are waits, in seconds."""
    for wait in waits:
        try:
            return await ask()
        except AzureError as error:
            if not may_pass(error):
                raise
        await asyncio.sleep(wait)
    return await ask()


def is_no_answer(error: AzureError) -> bool:
    """Tell whether the connection was refused or ended."""
    return not isinstance(error, HttpResponseError)


def may_pass(error: AzureError) -> bool:
    """Tell whether storage is at fault, and not what it was asked."""
    status = getattr(error, "status_code", None)
    return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR
