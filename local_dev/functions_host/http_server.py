"""HTTP triggers: requests and responses as the real host and its worker exchange them."""

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from aiohttp import web
from azure.functions.meta import Datum

from local_dev.callers import refuse_others
from local_dev.functions_host.app_loader import Function, InvocationError
from local_dev.functions_host.configuration import Configuration, StartError

log = logging.getLogger(__name__)


async def serve(functions: Iterable[Function], settings: Configuration) -> web.AppRunner:
    """Listen until the returned runner's `cleanup`; raise StartError if the port is taken."""
    server = web.Application(
        middlewares=[refuse_others(settings.callers)],
        client_max_size=104_857_600,  # bytes, as in the real host
    )
    for function in functions:
        route = function.trigger.get("route") or function.name
        path = "/" + f"{settings.route_prefix}/{route}".strip("/")
        methods = function.trigger.get("methods") or ["*"]
        for method in methods:
            server.router.add_route(method, path, partial(_invoke, function))
        address = f"http://localhost:{settings.port}{path}"
        log.info("%s: [%s] %s", function.name, ",".join(methods), address)
    server.router.add_route("*", "/{path:.*}", _no_function)
    # As in the real host, `Content-Encoding` is the app's business.
    runner = web.AppRunner(server, access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", settings.port).start()
    except OSError as error:
        raise StartError(f"cannot listen on port {settings.port}: {error.strerror}") from None
    return runner


async def _no_function(_request: web.Request) -> web.Response:
    # A wrong method, too: https://github.com/Azure/azure-functions-host/issues/10098
    return web.Response(status=404)


async def _invoke(function: Function, request: web.Request) -> web.Response:
    try:
        response = _to_response(await function.invoke(await _to_datum(request), {}))
    except InvocationError as error:
        log.error("%s failed\n%s", function.name, error)  # noqa: TRY400 - it is a traceback
        response = web.Response(status=500)
    log.info("%s %s %s %d", function.name, request.method, request.path, response.status)
    return response


async def _to_datum(request: web.Request) -> Datum:
    """Encode as ScriptInvocationContextExtensions.ToRpcHttp of azure-functions-host does."""
    value = {
        "method": Datum(request.method, "string"),
        "url": Datum(f"http://{request.host}{request.raw_path}", "string"),
        "headers": _texts(request.headers),
        "query": _texts(request.query),
        "params": _texts(request.match_info),
        "body": Datum(await request.read(), "bytes"),
    }
    return Datum(value, "http")


def _texts(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _to_response(answer: Any) -> web.Response:
    status, body = answer.value["status_code"].value, answer.value["body"].value
    headers = {name: datum.value for name, datum in answer.value["headers"].items()}
    return web.Response(status=int(status), headers=headers, body=body)
