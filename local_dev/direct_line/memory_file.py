"""Keeps the conversations in a file, so that they outlive the service as what Azurite stores does.

Without it, the bot would know conversations after a restart that nobody else knows any more.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from local_dev.direct_line.conversations import Conversation
from local_dev.direct_line.service import DirectLine
from local_dev.direct_line.wire import JsonObject

INTERVAL: Final = 1.0  # seconds between two looks for what is new

logger = logging.getLogger(__name__)


@asynccontextmanager
async def kept(service: DirectLine, path: Path | None) -> AsyncIterator[None]:
    """Load what the file holds, and write to it what is said in the block; without a path, not."""
    if path is None:
        yield
        return
    _load(service, path)
    writing = asyncio.create_task(_write_again_and_again(service, path))
    try:
        yield
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        _write(service, path)


async def _write_again_and_again(service: DirectLine, path: Path) -> None:
    written = service.conversations.changes
    while True:
        await asyncio.sleep(INTERVAL)
        if written != service.conversations.changes:
            written = service.conversations.changes
            _write(service, path)


def _write(service: DirectLine, path: Path) -> None:
    document = {
        "conversations": [each.to_document() for each in service.conversations],
        "pageUsers": service.page_users,
    }
    draft = path.with_suffix(".draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(document))
        draft.replace(path)  # whole or not at all
    except OSError as error:
        logger.warning("conversations not kept: %s", error)


def _load(service: DirectLine, path: Path) -> None:
    if not path.exists():
        return
    try:
        document: JsonObject = json.loads(path.read_text())
        found = [Conversation.from_document(each) for each in document["conversations"]]
        users = dict(document["pageUsers"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        logger.warning("conversations of %s not read: %s", path, error)
        return
    service.conversations.add(found)
    service.page_users.update(users)
    service.tell_again()
