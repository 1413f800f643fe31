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
from bot_logic.admin.notifications.order import WrongOptions
from bot_logic.admin.notifications.shown import Output, printable
from bot_logic.errors import ServiceUnavailable

URL_SETTING: Final = "NOTIFICATIONS_URL"
KEY_SETTING: Final = "NOTIFICATIONS_KEY"
WRONG: Final = 2  # as argparse ends, too
INTERRUPTED: Final = 130  # as a shell has it: 128 and SIGINT's number


def main(arguments: Sequence[str] | None = None, patience: Patience = PATIENCE) -> int:
    """Do what the command line says; return the exit status."""
    options = parse(arguments)
    output = Output(options.json, sys.stdout, sys.stderr)
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
    try:
        return App.at(url, options.key_file.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        raise WrongApp(f"{options.key_file}: {type(error).__name__}") from None


def _failed(output: Output, error: Exception, status: int) -> int:
    output.ends()
    sys.stderr.write(f"{printable(error)}\n")
    return status
