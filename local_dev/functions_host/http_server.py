"""HTTP triggers: requests and responses as the real host and its worker exchange them."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from azure.functions.meta import Datum

from local_dev.callers import refuse_others
from local_dev.functions_host.app_loader import Function, InvocationError
from local_dev.functions_host.configuration import Configuration, StartError

MAX_HEADER = 32 * 1024  # bytes, as in the real host

log = logging.getLogger(__name__)


async def serve(functions: Iterable[Function], settings: Configuration) -> web.AppRunner:
    """Listen until the returned runner's `cleanup`; raise StartError if the port is taken."""
    server = web.Application(
        middlewares=[refuse_others(settings.callers)],
        client_max_size=104_857_600,  # bytes, as in the real host
    )
    routes = []
    for function in functions:
        route = Route.of(function, settings.route_prefix)
        address = f"http://localhost:{settings.port}{route.template}"
        log.info("%s: [%s] %s", function.name, ",".join(route.methods or "*"), address)
        routes.append(route)
    routes.sort(key=lambda each: each.pattern.groups)  # what is literal goes first
    everything = r"/{path:[\s\S]*}"  # line breaks, too, which a path can hold percent-encoded
    server.router.add_route("*", everything, partial(_dispatch, routes))
    # As in the real host, `Content-Encoding` is the app's business.
    runner = web.AppRunner(
        server, access_log=None, max_field_size=MAX_HEADER, auto_decompress=False
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", settings.port).start()
    except OSError as error:
        raise StartError(f"cannot listen on port {settings.port}: {error.strerror}") from None
    return runner


@dataclass(frozen=True)
class Route:
    """Which requests a function answers; the case of letters and a last slash do not matter.

    Attributes:
        methods: in capitals; empty for all.
        template: the path, as `/api/items/{item}`.
        pattern: which a request's path, percent-encoded, has to match.
    """

    function: Function
    methods: Sequence[str]
    template: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, function: Function, prefix: str) -> "Route":
        """Read a function's trigger; raise StartError for a template that this host lacks."""
        route = function.trigger.get("route") or function.name
        template = "/" + f"{prefix}/{route}".strip("/")
        parts = re.split(r"\{(\w+)\}", template)
        if any("{" in part for part in parts):
            raise StartError(f"{function.name}: this host knows {{name}} in a route, not {route}")
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part)
            for number, part in enumerate(parts)
        )
        methods = [method.upper() for method in function.trigger.get("methods") or ()]
        return cls(function, methods, template, re.compile(f"{pattern}/?", re.IGNORECASE))


async def _dispatch(routes: Sequence[Route], request: web.Request) -> web.Response:
    for route in routes:
        found = route.pattern.fullmatch(request.rel_url.raw_path)
        if found and (not route.methods or request.method in route.methods):
            params = {name: unquote(value) for name, value in found.groupdict().items()}
            return await _invoke(route.function, request, params)
    # A wrong method, too: https://github.com/Azure/azure-functions-host/issues/10098
    return web.Response(status=404)


async def _invoke(
    function: Function, request: web.Request, params: Mapping[str, str]
) -> web.Response:
    try:
        response = _to_response(await function.invoke(await _to_datum(request, params), {}))
    except web.HTTPRequestEntityTooLarge:
        response = web.Response(status=500)  # as the real host answers it
    except InvocationError as error:
        log.error("%s failed\n%s", function.name, error)  # noqa: TRY400 - it is a traceback
        response = web.Response(status=500)
    log.info("%s %s %s %d", function.name, request.method, request.path, response.status)
    return response


async def _to_datum(request: web.Request, params: Mapping[str, str]) -> Datum:
    """Encode as ScriptInvocationContextExtensions.ToRpcHttp of azure-functions-host does.

    That leaves the body of a chunked request empty:
    https://github.com/Azure/azure-functions-host/issues/7930
    """
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    value = {
        "method": Datum(request.method, "string"),
        "url": Datum(f"http://{request.host}{request.raw_path}", "string"),
        "headers": _texts(request.headers),
        "query": _texts(request.query),
        "params": _texts(params),
        "body": Datum(b"" if is_chunked else await request.read(), "bytes"),
    }
    return Datum(value, "http")


def _texts(values: Mapping[str, str]) -> dict[str, Datum]:
    """Encode each value by its name; those of a name that comes twice with a comma between."""
    joined: dict[str, str] = {}
    for name, value in values.items():
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return {name: Datum(value, "string") for name, value in joined.items()}


def _to_response(answer: Any) -> web.Response:
    status, body = answer.value["status_code"].value, answer.value["body"].value
    headers = {name: datum.value for name, datum in answer.value["headers"].items()}
    return web.Response(status=int(status), headers=headers, body=body)
