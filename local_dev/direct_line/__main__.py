"""Command line: ``python -m local_dev.direct_line --port 3000 --bot <messaging endpoint>``."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bot_logic.errors import SettingsError
from local_dev import settings_file
from local_dev.callers import SETTING as ALLOWED_HOSTS
from local_dev.callers import Callers
from local_dev.direct_line.server import running
from local_dev.direct_line.service import Settings

logger = logging.getLogger("local_dev.direct_line")


def main() -> None:
    """Read arguments and environment, then serve until told to stop."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S"
    )
    try:
        asyncio.run(_serve(_settings(settings_file.read())))
    except (OSError, SettingsError) as error:
        sys.exit(f"The local Direct Line cannot start: {error}")


def _settings(environment: Mapping[str, str]) -> Settings:
    parser = argparse.ArgumentParser(prog="python -m local_dev.direct_line", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="on localhost (default: 3000)")
    parser.add_argument(
        "--bot",
        default="http://localhost:7071/api/messages",
        help="the bot's messaging endpoint (default: %(default)s)",
    )
    parser.add_argument(
        "--memory", type=Path, help="a file in which conversations outlive this process"
    )
    arguments = parser.parse_args()
    try:
        callers = Callers.from_setting(environment.get(ALLOWED_HOSTS, ""))
    except ValueError as error:
        parser.error(str(error))
    return Settings(
        bot_url=arguments.bot,
        secret=settings_file.direct_line_secret(environment),
        app_id=environment.get("MicrosoftAppId", ""),
        app_password=environment.get("MicrosoftAppPassword", ""),
        port=arguments.port,
        callers=callers,
        memory=arguments.memory,
    )


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows, where Ctrl+C raises KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings) as service:
        logger.info("chat page at %s, bot at %s", service.base_url, settings.bot_url)
        await stop.wait()
        logger.info("stopping")


if __name__ == "__main__":
    main()
