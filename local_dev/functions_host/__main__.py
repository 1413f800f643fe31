"""Command line: `python -m local_dev.functions_host [--port 7071] [--app DIR]`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from .app_loader import LoadError, load_app
from .configuration import ConfigurationError, is_disabled, read_configuration
from .http_server import HttpServer
from .queue_listener import QueueListener

SHUTDOWN_SECONDS = 30  # for what is under way

log = logging.getLogger(__name__)


def main() -> None:
    """Run the host until Ctrl-C or SIGTERM; exit 1 if it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m local_dev.functions_host", description=__doc__)
    parser.add_argument("--port", type=int, help="default: Host.LocalHttpPort, or 7071")
    parser.add_argument("--app", type=Path, default=Path(), help="where function_app.py is")
    parser.add_argument("--loader", choices=("auto", "worker", "converters"), default="auto")
    parser.add_argument("--lock-seconds", type=int, default=600, help="shorter, for tests")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S"
    )
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("azure.functions").setLevel(logging.CRITICAL)  # reports failures twice
    try:
        asyncio.run(_host(parser.parse_args()))
    except (ConfigurationError, LoadError) as error:
        log.error("%s", error, exc_info=error.__cause__)  # noqa: TRY400  the app's own traceback
        sys.exit(1)


async def _host(options: argparse.Namespace) -> NoReturn:
    stop_requested = _stop_on_signals()
    app_dir = options.app.resolve()
    settings = read_configuration(app_dir)
    app = load_app(app_dir, options.loader)
    port = options.port or settings.port
    server, listeners, triggers = HttpServer(app, settings.route_prefix, port), [], []
    for function in app.functions:
        if is_disabled(function.name):
            trigger = f"disabled by AzureWebJobs.{function.name}.Disabled"
        elif function.trigger["type"] == "httpTrigger":
            trigger = server.add(function)
        else:
            listeners.append(QueueListener(app, function, settings, options.lock_seconds))
            trigger = f"queueTrigger {listeners[-1].queue_name}"
        triggers.append(f"{function.name}: {trigger}")
    try:
        await server.start()
    except OSError as error:
        raise ConfigurationError(f"cannot listen on port {port}: {error.strerror}") from None
    for line in [*triggers, f"loaded by {app.loader}"]:
        log.info(line)
    running = [asyncio.create_task(listener.run()) for listener in listeners]
    stopped = asyncio.create_task(stop_requested.wait())
    await asyncio.wait([stopped, *running], return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping; a second signal ends at once")
    for listener in listeners:
        listener.stop()
    try:
        await asyncio.wait_for(asyncio.gather(server.stop(), *running), SHUTDOWN_SECONDS)
    except TimeoutError:
        log.warning("what still runs after %d s is cut off", SHUTDOWN_SECONDS)
    sys.stdout.flush()
    os._exit(0)  # as a Functions worker ends: nothing closes what the app left open


def _stop_on_signals() -> asyncio.Event:
    stop_requested, loop = asyncio.Event(), asyncio.get_running_loop()

    def request_stop(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop_requested.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    return stop_requested


if __name__ == "__main__":
    main()
