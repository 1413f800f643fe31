"""A web server that hands requests to Azure Functions code, converted as a Functions host does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import azure.functions as func
from aiohttp import web

Function = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def route(function: Function) -> Handler:
    """A handler that calls a function."""

    async def handle(request: web.Request) -> web.Response:
        answer = await function(
            func.HttpRequest(
                method=request.method,
                url=str(request.url),
                headers=dict(request.headers),
                body=await request.read(),
            )
        )
        return web.Response(
            status=answer.status_code,
            headers={**answer.headers, "Content-Type": str(answer.mimetype)},
            body=answer.get_body(),
        )

    return handle


async def serve(port: int, routes: Mapping[str, Handler]) -> None:
    """Answer POSTs to these paths on loopback until the process ends."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_post(path, handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()
