"""The program: reads the command line and the environment, and ends with a status."""

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Final

from bot_logic.admin.api_client import (
    LOCAL,
    PATIENCE,
    App,
    CallRefused,
    Patience,
    WrongApp,
    calling,
)
from bot_logic.admin.notifications.commands import COMMANDS, FAILED, Work
from bot_logic.admin.notifications.options import parse
from bot_logic.admin.notifications.order import WrongOptions, text_of
from bot_logic.admin.notifications.shown import Output, printable
from bot_logic.admin.reader import for_a_reader
from bot_logic.errors import ServiceUnavailable

URL_SETTING: Final = "NOTIFICATIONS_URL"
KEY_SETTING: Final = "NOTIFICATIONS_KEY"
WRONG: Final = 2  # as argparse ends, too
INTERRUPTED: Final = 130  # as a shell has it: 128 and SIGINT's number


def main(arguments: Sequence[str] | None = None, patience: Patience = PATIENCE) -> int:
    """Do what the command line says; return the exit status."""
    options = parse(arguments)
    output = Output(bool(options.json), sys.stdout, sys.stderr)
    return for_a_reader(lambda: _ended(options, output, patience))


def _ended(options: Namespace, output: Output, patience: Patience) -> int:
    try:
        return asyncio.run(_run(options, output, patience))
    except (WrongOptions, WrongApp) as error:
        return _failed(output, error, WRONG)
    except (CallRefused, ServiceUnavailable) as error:
        return _failed(output, error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run(options: Namespace, output: Output, patience: Patience) -> int:
    async with calling(_app(options, os.environ), patience) as api:
        return await COMMANDS[options.command](Work(api, options, output))


def _app(options: Namespace, environment: Mapping[str, str]) -> App:
    url = options.url or environment.get(URL_SETTING) or LOCAL
    if options.key_file is None:
        return App.at(url, environment.get(KEY_SETTING, "").strip())
    return App.at(url, text_of(options.key_file).strip())


def _failed(output: Output, error: Exception, status: int) -> int:
    output.ends()
    sys.stderr.write(f"{printable(error)}\n")
    return status
