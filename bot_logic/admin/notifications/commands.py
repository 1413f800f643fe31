"""Each command: calls the app, says what it answered, and returns the exit status."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from bot_logic.admin.api_client import ApiClient
from bot_logic.admin.notifications import shown
from bot_logic.admin.notifications.order import content, order
from bot_logic.admin.notifications.shown import Output, printable
from bot_logic.errors import ServiceUnavailable

FINE: Final = 0
FAILED: Final = 1
GOING_ON: Final = ("scheduled", "sending")
GOOD: Final = ("sent", "recalled", "edited", "optedOut")  # outcomes that are as they should be


@dataclass(frozen=True, slots=True)
class Work:
    """What a command has in hand."""

    api: ApiClient
    options: argparse.Namespace
    output: Output

    @property
    def path(self) -> str:
        """The notification that the command is about."""
        return f"notifications/{quote(self.options.id, safe='')}"


async def send(work: Work) -> int:
    """Ask for a notification, once, however often it has to be tried."""
    key = work.options.key or secrets.token_hex(16)
    headers = {"Idempotency-Key": key if key.isascii() and key.isprintable() else quote(key)}
    try:
        taken = await work.api.call("POST", "notifications", order(work.options), headers=headers)
    except ServiceUnavailable:
        sys.stderr.write(
            f"It may have been taken; --key {printable(key)} sends it no second time.\n"
        )
        raise
    return await _taken(work, taken)


async def preview(work: Work) -> int:
    """Say who would get it; fail if nobody would, as there are too many."""
    found = await work.api.call("POST", "notifications/preview", order(work.options))
    most = work.options.at_most
    work.output.say(found, shown.preview(found, most))
    return FAILED if shown.is_too_many(found, most) else FINE


async def list_newest(work: Work) -> int:
    """List the newest notifications, a hundred at most."""
    for each in (await work.api.call("GET", "notifications"))["notifications"]:
        work.output.say(each, shown.summary(each))
    return FINE


async def show(work: Work) -> int:
    """Say all about a notification."""
    return _say(work, await work.api.call("GET", work.path))


async def recipients(work: Work) -> int:
    """Say what has become of each."""
    async for each in _each_recipient(work):
        work.output.say(each, shown.recipient(each))
    return FINE


async def cancel(work: Work) -> int:
    """Stop it."""
    return _say(work, await work.api.call("DELETE", work.path))


async def retry(work: Work) -> int:
    """Send once more to those that did not get it."""
    opened = await work.api.call("POST", f"{work.path}/retry")
    return await _until_its_end(work, work.path) if work.options.wait else _say(work, opened)


async def recall(work: Work) -> int:
    """Take it back."""
    return await _taken(work, await work.api.call("POST", f"{work.path}/recall"))


async def edit(work: Work) -> int:
    """Replace it."""
    return await _taken(work, await work.api.call("PATCH", work.path, content(work.options)))


COMMANDS: Final[dict[str, Callable[[Work], Awaitable[int]]]] = {
    "send": send,
    "preview": preview,
    "list": list_newest,
    "show": show,
    "recipients": recipients,
    "cancel": cancel,
    "retry": retry,
    "recall": recall,
    "edit": edit,
}


async def _taken(work: Work, taken: Any) -> int:
    if work.options.wait:
        return await _until_its_end(work, f"notifications/{quote(taken['id'], safe='')}")
    work.output.say(taken, printable(taken["id"]))
    return FINE


async def _until_its_end(work: Work, path: str) -> int:
    """Look until a notification has ended, as each does at the latest when it expires."""
    while (document := await work.api.call("GET", path))["state"] in GOING_ON:
        work.output.is_at(document)
        await asyncio.sleep(work.api.patience.look)
    work.output.is_at(document)
    work.output.ends()
    _say(work, document)
    good = sum(document["counts"].get(name, 0) for name in GOOD)
    return FINE if document["state"] == "done" and good == document["recipients"] else FAILED


async def _each_recipient(work: Work) -> AsyncIterator[Any]:
    asked = {"state": work.options.state} if work.options.state else {}
    while True:
        query = f"?{urlencode(asked)}" if asked else ""
        page = await work.api.call("GET", f"{work.path}/recipients{query}")
        for each in page["recipients"]:
            yield each
        if "after" not in page:
            return
        asked["after"] = page["after"]


def _say(work: Work, document: Any) -> int:
    work.output.say(document, shown.details(document))
    return FINE
