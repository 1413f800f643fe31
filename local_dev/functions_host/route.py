"""A function behind a web server, without a host: for tests and benchmarks of what it does."""

from collections.abc import Awaitable, Callable

import azure.functions as func
from aiohttp import web


def route(
    function: Callable[[func.HttpRequest], Awaitable[func.HttpResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make a handler that calls a function; requests are converted as a Functions host does."""

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
