"""What an operator does with dead letters.

    make dead-letters                          list them
    make dead-letters DO="show ID"             one of them, with the message's text
    make dead-letters DO="replay ID …"         put messages on the queue again
    make dead-letters DO="replay --all"
    make dead-letters DO="purge --all --error ConversationGone"

AzureWebJobsStorage in the environment names the storage account; else local.settings.json does.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bot_logic.dead_letters.cabinet import TABLE_NAME, Cabinet, Filed
from bot_logic.deliveries import TABLE_NAME as DELIVERIES_TABLE
from bot_logic.deliveries import Deliveries
from bot_logic.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.errors import ProactiveBotError
from bot_logic.settings import Secret, storage_connection
from bot_logic.storage_queue import StorageQueue
from bot_logic.table import Table

SETTINGS_FILE: Final = Path("local.settings.json")


class UnknownLetter(ProactiveBotError):
    """No dead letter has this id."""


Command = Callable[[Cabinet, argparse.Namespace], Coroutine[Any, Any, None]]


async def list_letters(cabinet: Cabinet, options: argparse.Namespace) -> None:
    """One line for each letter, without what was said."""
    count = 0
    async for filed in _chosen(cabinet, options):
        letter, count = filed.letter, count + 1
        attempts = "" if letter.attempts is None else f" (attempts: {letter.attempts})"
        _say(f"{letter.id}  {letter.dead_lettered_at}  {letter.error}: {letter.reason}{attempts}")
    _say(f"dead letters: {count}")


async def show(cabinet: Cabinet, options: argparse.Namespace) -> None:
    """All of each letter, as JSON."""
    async for filed in _chosen(cabinet, options):
        _say(json.dumps(asdict(filed.letter), indent=2))


async def replay(cabinet: Cabinet, options: argparse.Namespace) -> None:
    """Put the letters' messages on the queue again; what was delivered after all is dropped."""
    async for filed in _chosen(cabinet, options):
        queued = await cabinet.replay(filed)
        outcome = "on the queue again" if queued else "was delivered after all, letter dropped"
        _say(f"{filed.letter.id}  {outcome}")


async def purge(cabinet: Cabinet, options: argparse.Namespace) -> None:
    """Delete letters."""
    async for filed in _chosen(cabinet, options):
        await cabinet.purge(filed)
        _say(f"{filed.letter.id}  purged")


async def _chosen(cabinet: Cabinet, options: argparse.Namespace) -> AsyncIterator[Filed]:
    for message_id in options.id:
        filed = await cabinet.find(message_id)
        if filed is None:
            raise UnknownLetter(f"there is no dead letter {message_id}")
        yield filed
    if not options.id:
        async for filed in cabinet.letters():
            if options.error in ("", filed.letter.error):
                yield filed


async def run(command: Command, options: argparse.Namespace, connection: Secret) -> None:
    """Carry out a command on the storage account."""
    letters, deliveries = Table(connection, TABLE_NAME), Table(connection, DELIVERIES_TABLE)
    queue = StorageQueue(connection, QUEUE_NAME)
    poison_queue = StorageQueue(connection, POISON_QUEUE_NAME)
    async with AsyncExitStack() as stack:
        for client in (letters, deliveries, queue, poison_queue):
            stack.push_async_callback(client.close)
        await command(Cabinet(letters, Deliveries(deliveries), queue, poison_queue), options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bot_logic.dead_letters",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=list_letters, id=[], all=True, error="")
    commands = parser.add_subparsers()
    for name, command in (
        ("list", list_letters),
        ("show", show),
        ("replay", replay),
        ("purge", purge),
    ):
        chosen = commands.add_parser(name, help=command.__doc__)
        chosen.set_defaults(command=command)
        chosen.add_argument("--error", default="", help="only letters with this error")
        if command is not list_letters:
            chosen.add_argument("id", nargs="*", help="a message's id")
            chosen.add_argument("--all", action="store_true", help="every letter")
    options = parser.parse_args(arguments)
    if bool(options.id) == options.all:
        parser.error("name either ids or --all")
    return options


def _environment() -> Mapping[str, str]:
    values = json.loads(SETTINGS_FILE.read_text())["Values"] if SETTINGS_FILE.exists() else {}
    return {**values, **os.environ}


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code is 1 if that failed."""
    options = _options(arguments)
    try:
        asyncio.run(run(options.command, options, storage_connection(_environment())))
    except ProactiveBotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
