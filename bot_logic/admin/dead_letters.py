"""An operator's commands for dead letters: list, show, replay, purge.

    make dead-letters                          list them
    make dead-letters DO="show ID"             one of them, with the message's text
    make dead-letters DO="replay ID …"         put messages on the queue again
    make dead-letters DO="replay --all"
    make dead-letters DO="purge --all --error ConversationGone"

AzureWebJobsStorage… in the environment name the storage account; else local.settings.json does.
"""

import argparse
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from bot_logic import delivery
from bot_logic.admin.surroundings import carry_out
from bot_logic.clock import SYSTEM_CHANCE, SYSTEM_CLOCK
from bot_logic.delivery.dead_letter_store import DeadLetterStore, Filed
from bot_logic.errors import AttemptUnderWay, PermanentError, ProactiveBotError
from bot_logic.settings import DEFAULT_MAX_ATTEMPTS
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.location import StorageLocation

WHAT_TO_DO: Final = "put a right message on the queue in its place, then purge this one"


class UnknownDeadLetter(ProactiveBotError):
    """No dead letter has this id."""


class NotReplayed(ProactiveBotError):
    """Some dead letters would only come back."""


Command = Callable[[DeadLetterStore, argparse.Namespace], Coroutine[Any, Any, None]]


async def list_all(store: DeadLetterStore, options: argparse.Namespace) -> None:
    """List the dead letters, the newest first, one line each, without what was said."""
    found = [filed async for filed in _chosen(store, options)]
    for filed in sorted(found, key=lambda each: each.dead_letter.dead_lettered_at, reverse=True):
        letter = filed.dead_letter
        attempts = "" if letter.attempts is None else f" (attempts: {letter.attempts})"
        reason = f"{letter.error}: {letter.reason}{attempts}"
        _say(f"{letter.id}  {letter.dead_lettered_at}  {letter.missed or '-'}  {reason}")
    _say(f"dead letters: {len(found)}")


async def show(store: DeadLetterStore, options: argparse.Namespace) -> None:
    """Show all of each dead letter, as JSON."""
    async for filed in _chosen(store, options):
        _say(json.dumps(asdict(filed.dead_letter) | {"sent": filed.sent}, indent=2))


async def replay(store: DeadLetterStore, options: argparse.Namespace) -> None:
    """Put messages on the queue again; what was delivered after all is dropped."""
    refused = 0
    async for filed in _chosen(store, options):
        try:
            queued = await store.replay(filed)
        except AttemptUnderWay:
            outcome = "is being delivered just now, left as it is"
        except PermanentError as error:
            outcome, refused = f"not replayed, for {error}; {WHAT_TO_DO}", refused + 1
        else:
            outcome = (
                "on the queue again" if queued else "was delivered after all, dead letter dropped"
            )
        _say(f"{filed.dead_letter.id}  {outcome}")
    if refused:
        raise NotReplayed(f"{refused} dead letter(s) cannot be replayed")


async def purge(store: DeadLetterStore, options: argparse.Namespace) -> None:
    """Delete dead letters."""
    async for filed in _chosen(store, options):
        await store.purge(filed)
        _say(f"{filed.dead_letter.id}  purged")


async def _chosen(store: DeadLetterStore, options: argparse.Namespace) -> AsyncIterator[Filed]:
    for message_id in options.id:
        found = await store.find(message_id)
        if not found:
            raise UnknownDeadLetter(f"there is no dead letter {message_id}")
        for filed in found:
            yield filed
    if not options.id:
        async for filed in store.all():
            if options.error in ("", filed.dead_letter.error):
                yield filed


async def run(command: Command, options: argparse.Namespace, location: StorageLocation) -> None:
    """Carry out a command on the storage account."""
    storage = StorageAccount(location)
    parts = delivery.build(storage, SYSTEM_CLOCK, SYSTEM_CHANCE, max_attempts=DEFAULT_MAX_ATTEMPTS)
    try:
        await command(parts.dead_letters, options)
    finally:
        await storage.close()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bot_logic.admin.dead_letters",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=list_all, id=[], all=True, error="")
    commands = parser.add_subparsers()
    for name, command in (
        ("list", list_all),
        ("show", show),
        ("replay", replay),
        ("purge", purge),
    ):
        chosen = commands.add_parser(name, help=command.__doc__)
        chosen.set_defaults(command=command)
        chosen.add_argument("--error", default="", help="only those with this error")
        if command is not list_all:
            chosen.add_argument("id", nargs="*", help="a message's id")
            chosen.add_argument("--all", action="store_true", help="every dead letter")
    options = parser.parse_args(arguments)
    if bool(options.id) == options.all:
        parser.error("name either ids or --all")
    return options


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code is 1 if that failed."""
    options = _options(arguments)
    return carry_out(partial(run, options.command, options))


if __name__ == "__main__":
    sys.exit(main())
