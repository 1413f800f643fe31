"""Puts the service together: routes, and what holds for every request."""

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler

from local_dev.callers import refuse_others
from local_dev.direct_line import chat_page, hook_routes, stream
from local_dev.direct_line.faults import Rule
from local_dev.direct_line.service import SERVICE, DirectLine
from local_dev.direct_line.wire import ApiError
from local_dev.operator_page import app as operator_page

logger = logging.getLogger(__name__)

BODY_LIMIT = 20 * 1024 * 1024  # bytes, uploads included
CODES = {404: "NotFound", 405: "MethodNotAllowed", 413: "MessageSizeTooBig"}


def make_app(service: DirectLine) -> web.Application:
    """Return the application that serves one instance."""
    app = web.Application(
        middlewares=[
            refuse_others(service.settings.callers),
            answer_preflight,
            answer_errors,
            inject_faults,
        ],
        client_max_size=BODY_LIMIT,
    )
    app[SERVICE] = service
    app[stream.SOCKETS] = weakref.WeakSet()
    app.add_subapp(operator_page.PREFIX, operator_page.make_app(service.settings.operated))
    app.add_routes([*hook_routes.PROTOCOL_ROUTES, *hook_routes.ROUTES, *chat_page.ROUTES])
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(stream.close_all)
    app.cleanup_ctx.append(_bot_connection)
    return app


@web.middleware
async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a browser ask whether it may call, which it does without a token."""
    if request.method == "OPTIONS" and _is_client_api(request):
        return web.Response(status=204)
    return await handler(request)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every error the one shape there is."""
    try:
        return await handler(request)
    except ApiError as error:
        return _error_response(error)
    except web.RequestPayloadError:
        return _error_response(ApiError(400, "BadSyntax", "The body cannot be read."))
    except web.HTTPException as error:
        code = CODES.get(error.status, "ServiceError")
        response = _error_response(ApiError(error.status, code, error.reason))
        if allow := error.headers.get("Allow"):
            response.headers["Allow"] = allow
        return response
    except Exception:
        logger.exception("%s failed", request.match_info.handler.__name__)
        return _error_response(ApiError(500, "ServiceError", "An error of the local service."))


@web.middleware
async def inject_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Fail as a test has asked for."""
    rule = request.app[SERVICE].faults.pick(request.match_info.handler.__name__)
    if rule is None:
        return await handler(request)
    done = await handler(request) if rule.after else None
    await asyncio.sleep(rule.delay)
    if rule.status:
        return _fault_response(rule)
    return done or await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add what browsers want to see: nothing is cached, and which pages may read the answer."""
    response.headers.setdefault("Cache-Control", "no-store")
    origin = request.headers.get("Origin", "")
    if _is_client_api(request) and request.app[SERVICE].settings.callers.may_come_from(origin):
        asked = request.headers.get("Access-Control-Request-Headers", "")
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Headers"] = asked or "Authorization, Content-Type"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        response.headers["Vary"] = "Origin, Access-Control-Request-Headers"


def _is_client_api(request: web.Request) -> bool:
    return request.path.startswith("/v3/directline/")


def _error_response(error: ApiError) -> web.Response:
    return web.json_response(error.body(), status=error.status)


def _fault_response(rule: Rule) -> web.Response:
    response = _error_response(ApiError(rule.status, rule.code, "Injected by a test."))
    response.headers.update({name: str(value) for name, value in rule.headers.items()})
    return response


async def _bot_connection(app: web.Application) -> AsyncIterator[None]:
    async with app[SERVICE].bot:
        yield
