"""The names of errors are what operators read and filter by, so all of them are documented."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bot_logic
from bot_logic.errors import PermanentError, ProactiveBotError, RetryableError

PAGE = (Path(__file__).parents[2] / "docs" / "queue-messages.md").read_text()
NEVER_THE_LAST_WORD = {
    "AskedToWait",  # not counted: a message ends as expired
    "TurnedAway",
    "HostDown",
    "AskedInVain",
    "AttemptUnderWay",
    "RowConflict",
    "QueueUnavailable",  # then the message stays where it is
    "QueueNotCreated",
    "MessageNotInserted",
    "_ConversationLost",  # caught by the module that raises it
}


def subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def test_each_error_that_a_dead_letter_may_have_is_documented() -> None:
    for module in pkgutil.walk_packages(bot_logic.__path__, "bot_logic."):
        importlib.import_module(module.name)
    ours = {each for each in subclasses(ProactiveBotError) if each.__module__.startswith("bot_")}
    ends = {each for each in ours if issubclass(each, RetryableError | PermanentError)}
    undocumented = {each.__name__ for each in ends if f"`{each.__name__}`" not in PAGE}
    assert undocumented - NEVER_THE_LAST_WORD == set()
