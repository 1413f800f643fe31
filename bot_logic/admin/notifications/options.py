"""What the commands are told: one parser, which says what is wrong and ends with 2."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bot_logic.admin import notifications

ABOUT: Final = {
    "send": "tell somebody something, now or later",
    "preview": "say who would get it; send nothing",
    "list": "list the newest notifications",
    "show": "say what a notification is at",
    "recipients": "say what has become of each recipient",
    "cancel": "stop it: who has not got it yet does not get it",
    "retry": "send once more to those that did not get it",
    "recall": "take it back: delete it for those who got it, where the channel can",
    "edit": "replace it for those who got it, where the channel can",
}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; end with status 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m bot_logic.notifications",
        description=notifications.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_app(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in ABOUT.items():
        command = commands.add_parser(name, help=about, description=about)
        _add_app(command, argparse.SUPPRESS)
        if name in ("send", "preview"):
            _add_audience(command)
        elif name != "list":
            command.add_argument("id", help="a notification's id")
        if name in ("send", "preview", "edit"):
            _add_content(command)
        if name == "send":
            _add_times(command)
        if name in ("send", "recall", "edit", "retry"):
            command.add_argument(
                "--wait", action="store_true", help="until it has come to its end; shows how far"
            )
        if name == "recipients":
            command.add_argument("--state", default="", help="only those: failed, sent, blocked …")
    options, rest = parser.parse_known_args(arguments)
    # argparse wants id and text side by side; `edit ID --wait "Three for one"` is meant as well.
    if len(rest) == 1 and getattr(options, "text", "") is None and not rest[0].startswith("-"):
        options.text = rest[0]
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def _add_app(command: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add what may stand before the command, or behind it, where no default may win."""
    add = partial(command.add_argument, default=default)
    add("--url", help="the app (default: NOTIFICATIONS_URL, else the local one)")
    add("--key-file", type=Path, help="a file with the function key")
    add("--json", action="store_true", help="for scripts: a JSON document a line")


def _add_audience(command: argparse.ArgumentParser) -> None:
    to = command.add_argument_group("to whom, one of").add_mutually_exclusive_group(required=True)
    to.add_argument("--to-user", metavar="ID", action="append", help="may be repeated")
    to.add_argument("--to-conversation", metavar="ID", action="append", help="may be repeated")
    to.add_argument("--to-file", metavar="FILE", type=Path, help="a user's id on each line")
    to.add_argument("--to-topic", metavar="NAME")
    to.add_argument("--to-channel", metavar="NAME")
    to.add_argument("--to-all", action="store_true", help="everyone; needs --at-most")
    command.add_argument("--at-most", type=int, metavar="N", help="nobody gets it if more would")


def _add_content(command: argparse.ArgumentParser) -> None:
    command.add_argument("text", nargs="?", help="what to say")
    command.add_argument("--card", type=Path, metavar="FILE", help="an Adaptive Card, as JSON")
    command.add_argument("--activity", type=Path, metavar="FILE", help="an activity, as JSON")


def _add_times(command: argparse.ArgumentParser) -> None:
    command.add_argument("--at", help="2030-01-31T09:00:00+01:00, or seconds from now")
    command.add_argument("--expires", help="a time, or seconds after --at")
    command.add_argument("--key", help="an idempotency key of your own; the same sends once")
