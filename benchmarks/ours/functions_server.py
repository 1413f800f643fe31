"""Azure Functions code behind a web server, requests converted as a Functions host does."""

from collections.abc import Awaitable, Callable

import azure.functions as func
from aiohttp import web

from benchmarks.serving import Handler


def route(function: Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]) -> Handler:
    """Make a handler that calls a function."""

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
