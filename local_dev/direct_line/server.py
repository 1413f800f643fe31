"""Runs the service on loopback, for `python -m` and for tests alike."""

import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from local_dev.direct_line.app import make_app
from local_dev.direct_line.memory_file import kept
from local_dev.direct_line.service import DirectLine, Settings

SHUTDOWN_TIMEOUT = 1.0  # seconds that requests under way have left when the service stops


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[DirectLine]:
    """Run the service as long as the block lasts.

    Raises:
        OSError: The port is taken.
    """
    sockets = _listen(settings.port)
    port = sockets[0].getsockname()[1]
    service = DirectLine(settings, f"http://localhost:{port}")
    runner = web.AppRunner(
        make_app(service),
        access_log=None,  # its lines would hold the tokens of the streams
        auto_decompress=False,  # bodies.py does it, with a limit
        shutdown_timeout=SHUTDOWN_TIMEOUT,
    )
    await runner.setup()
    try:
        for each in sockets:
            await web.SockSite(runner, each).start()
        async with kept(service, settings.memory):
            yield service
    finally:
        await runner.cleanup()


def _listen(port: int) -> list[socket.socket]:
    """Bind both loopback addresses, as `localhost` may mean either; 0 is a free port."""
    ipv4 = socket.create_server(("127.0.0.1", port))
    try:
        ipv6 = socket.create_server(("::1", ipv4.getsockname()[1]), family=socket.AF_INET6)
    except OSError as error:
        if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:  # no IPv6 on this machine
            return [ipv4]
        ipv4.close()
        if port == 0 and error.errno == errno.EADDRINUSE:  # free on one address only
            return _listen(port)
        raise
    return [ipv4, ipv6]
