"""A web server of aiohttp on loopback: for a block, or until the process ends.

Imported by measured programs, so it imports next to nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving_routes(routes: Mapping[str, Handler], port: int = 0) -> AsyncIterator[str]:
    """Answer POSTs to these paths as long as the block lasts; yield the base URL."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_post(path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def serve(port: int, routes: Mapping[str, Handler]) -> None:
    """Answer POSTs to these paths until the process ends."""
    async with serving_routes(routes, port):
        await asyncio.Event().wait()
