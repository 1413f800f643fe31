"""HTTP triggers: requests and responses as the real host and its worker exchange them."""

import errno
import logging
import time
from collections.abc import Mapping
from functools import partial

from aiohttp import web
from azure.functions.meta import Datum
from multidict import MultiMapping

from .app_loader import Function, FunctionApp, InvocationError

MAX_REQUEST_BODY = 104_857_600  # bytes; DefaultMaxRequestBodySize of the real host

log = logging.getLogger(__name__)


class HttpServer:
    """Serves the HTTP functions of an app on both loopback addresses."""

    def __init__(self, app: FunctionApp, route_prefix: str, port: int) -> None:
        self._app, self._prefix, self._port = app, route_prefix, port
        self._server = web.Application(client_max_size=MAX_REQUEST_BODY)
        self._runner = web.AppRunner(self._server, access_log=None, auto_decompress=False)

    def add(self, function: Function) -> str:
        """Route requests to a function; return its methods and address, for people."""
        route = function.trigger.get("route") or function.name
        path = "/" + "/".join(filter(None, [self._prefix, route.strip("/")]))
        methods = function.trigger.get("methods") or ["*"]
        for method in methods:
            self._server.router.add_route(method, path, partial(self._invoke, function))
        return f"[{','.join(methods)}] http://localhost:{self._port}{path}"

    async def start(self) -> None:
        """Listen; raise OSError if the port is taken."""
        self._server.router.add_route("*", "/{path:.*}", _no_function)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        try:
            await web.TCPSite(self._runner, "::1", self._port).start()
        except OSError as error:  # a machine without IPv6 is fine
            if error.errno == errno.EADDRINUSE:
                raise

    async def stop(self) -> None:
        """Refuse new requests, and let those under way finish."""
        await self._runner.cleanup()

    async def _invoke(self, function: Function, request: web.Request) -> web.Response:
        value = _to_datum(request, await request.read())
        started = time.monotonic()
        try:
            response = _to_response(await self._app.invoke(function, value, {}))
            failure = ""
        except InvocationError as error:
            response, failure = web.Response(status=500), f"\n{error}"
        log.log(
            logging.ERROR if failure else logging.INFO,
            "%s %s %s %d, %d ms%s",
            *(function.name, request.method, request.path, response.status),
            *((time.monotonic() - started) * 1000, failure),
        )
        return response


async def _no_function(request: web.Request) -> web.Response:
    if request.path == "/":
        return web.Response(text="The local Functions host is running.\n")
    # A wrong method, too: https://github.com/Azure/azure-functions-host/issues/10098
    return web.Response(status=404)


def _to_datum(request: web.Request, body: bytes) -> Datum:
    """Encode as ScriptInvocationContextExtensions.ToRpcHttp of azure-functions-host does."""
    headers = {name.lower(): value for name, value in _joined(request.headers).items()}
    query = {name: value for name, value in _joined(request.query).items() if value}
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(f"http://{request.host}{request.raw_path}", "string"),
            "headers": _texts(headers),
            "query": _texts(query),
            "params": _texts(request.match_info),
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def _to_response(answer: Datum | None) -> web.Response:
    if answer is None or answer.type != "http":  # the function returned a str
        return web.Response(text=answer.value if answer else None)
    status, body = answer.value["status_code"].value, answer.value["body"].value
    headers = {name: datum.value for name, datum in answer.value["headers"].items()}
    response = web.Response(status=int(status), headers=headers, body=body)
    for cookie in answer.value["cookies"] or ():
        response.cookies.update(cookie)
    return response


def _joined(values: MultiMapping[str]) -> dict[str, str]:
    return {name: ",".join(values.getall(name)) for name in values}


def _texts(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}
