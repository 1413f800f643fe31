"""Command line: `python -m local_dev.functions_host [--port 7071] [--app DIR]`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from local_dev.functions_host.app_loader import Function, load_app
from local_dev.functions_host.configuration import Configuration, StartError, is_disabled
from local_dev.functions_host.http_server import serve
from local_dev.functions_host.queue_listener import QueueListener
from local_dev.functions_host.timer import Timer

OF_STORAGE_TROUBLE = 3  # the exit code; whoever started the host may start it again

log = logging.getLogger(__name__)


def main() -> None:
    """Run the host until Ctrl-C or SIGTERM; exit 1 if it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m local_dev.functions_host", description=__doc__)
    parser.add_argument("--port", type=int, help="default: Host.LocalHttpPort, or 7071")
    parser.add_argument("--app", type=Path, default=Path(), help="where function_app.py is")
    parser.add_argument("--loader", choices=("auto", "worker", "converters"), default="auto")
    parser.add_argument("--lock-seconds", type=int, default=600, help="shorter, for tests")
    parser.add_argument(
        "--end-on-storage-trouble",
        action="store_true",
        help="after half a minute of it, as the real host does; exit code 3",
    )
    layout = "%(asctime)s %(levelname)-7s %(message)s"
    logging.basicConfig(level=logging.INFO, format=layout, datefmt="%H:%M:%S")
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("azure.functions").setLevel(logging.CRITICAL)  # reports failures twice
    try:
        exit_code = asyncio.run(_host(parser.parse_args()))
    except StartError as error:
        log.error("%s", error, exc_info=error.__cause__)  # noqa: TRY400 - the app's own traceback
        sys.exit(1)
    os._exit(exit_code)  # as a Functions worker ends: nothing closes what the app left open


async def _host(options: argparse.Namespace) -> int:
    stopping, trouble, app_dir = asyncio.Event(), asyncio.Event(), options.app.resolve()

    def shut_down() -> None:
        trouble.set()
        stopping.set()

    on_trouble = shut_down if options.end_on_storage_trouble else None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")  # as Core Tools does
    settings = Configuration(app_dir)
    settings.port = options.port or settings.port
    functions, loader = load_app(app_dir, options.loader)
    http: list[Function] = []
    listeners: list[QueueListener | Timer] = []
    for function in functions:
        if is_disabled(function.name):
            log.info("%s: disabled by AzureWebJobs.%s.Disabled", function.name, function.name)
        elif function.trigger["type"] == "httpTrigger":
            http.append(function)
        elif function.trigger["type"] == "timerTrigger":
            listeners.append(Timer(function))
        else:
            listeners.append(QueueListener(function, settings, options.lock_seconds, on_trouble))
    server = await serve(http, settings)
    log.info("loaded by %s", loader)
    async with asyncio.TaskGroup() as running:
        for listener in listeners:
            running.create_task(listener.run(stopping))
        await stopping.wait()
        if trouble.is_set():
            log.error("storage has failed for too long; shutting down, as the real host does")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        log.info("stopping; a second signal ends at once")
    await server.cleanup()  # after the listeners, whose deliveries come back in through it
    return OF_STORAGE_TROUBLE if trouble.is_set() else 0


if __name__ == "__main__":
    main()
