"""The page's server: its files, and the calls of the API that it passes on with the key."""

import hmac
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from aiohttp import web
from aiohttp.typedefs import Handler

from bot_logic.admin.api_client import Answer, ApiClient, App, calling
from bot_logic.errors import ServiceUnavailable
from bot_logic.secret import Secret
from local_dev.callers import ONLY_THIS_MACHINE, refuse_others

PREFIX: Final = "/operator"
PAGE: Final = Path(__file__).parent / "page"
SHOWN_TOKEN: Final = "X-Operator-Token"  # noqa: S105 - a header's name
ONCE: Final = "Idempotency-Key"
KINDS: Final = ("application/json", "text/csv")
# Cards may show pictures of any site; all else is the page's own.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' https: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_FILE: Final = re.compile(r"[a-z_]+\.(html|css|js)")
_CALL: Final = re.compile(r"(notifications|conversations|dead-letters)(/[^/]+)*")


NO_TOKEN: Final = Secret("")


@dataclass(frozen=True, slots=True)
class Operated:
    """Which app the page is for.

    Attributes:
        app: it, with its key.
        token: what the page has to show, or nothing: for an app that asks for no key either.
    """

    app: App
    token: Secret = NO_TOKEN


OPERATED: Final = web.AppKey("operated", Operated)
CLIENT: Final = web.AppKey("client", ApiClient)


def make_app(operated: Operated) -> web.Application:
    """Return what is mounted at `PREFIX`.

    Not even a tunnel's visitors (AllowedLocalHosts), whom the chat page may welcome, get here.
    """
    app = web.Application(middlewares=[refuse_others(ONLY_THIS_MACHINE), refuse_other_pages])
    app[OPERATED] = operated
    app.add_routes(
        [
            web.get("", page_file),
            web.get("/about", about),
            web.route("*", "/api/{path:.+}", pass_on),
            web.get("/{name}", page_file),
        ]
    )
    app.on_response_prepare.append(_add_headers)
    app.cleanup_ctx.append(_connection)
    return app


@web.middleware
async def refuse_other_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only the page itself call: no other page of this machine, and no other user's program."""
    own, token = f"{request.scheme}://{request.host}", request.app[OPERATED].token
    if request.headers.get("Origin", own) != own:
        return _error(403, "Forbidden", "Only the operator page itself may call.")
    shown = request.headers.get(SHOWN_TOKEN, "").encode()
    calls = request.match_info.handler is pass_on
    if token and calls and not hmac.compare_digest(shown, token.reveal().encode()):
        return _error(403, "Forbidden", "Open the page by the address that was printed.")
    return await handler(request)


async def page_file(request: web.Request) -> web.StreamResponse:
    """Serve a file of the page."""
    name = request.match_info.get("name", "index.html")
    path = PAGE / name
    if not _FILE.fullmatch(name) or not path.is_file():
        return _error(404, "NotFound", "The page has no such file; `make setup` fetches what is.")
    return web.FileResponse(path)


async def about(request: web.Request) -> web.Response:
    """Say which app the page is for."""
    return web.json_response({"url": str(request.app[OPERATED].app.url)})


async def pass_on(request: web.Request) -> web.Response:
    """Pass a call on to the app, with the key."""
    _, _, path = request.rel_url.raw_path.partition("/api/")
    steps = [unquote(step) for step in path.split("/")]
    if not _CALL.fullmatch(path) or "." in steps or ".." in steps:
        return _error(404, "NotFound", "There is no such call.")
    query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
    headers = {ONCE: request.headers[ONCE]} if ONCE in request.headers else {}
    body = await request.read() or None
    try:
        answer = await request.app[CLIENT].once(request.method, path + query, body, headers=headers)
    except ServiceUnavailable as error:
        return _error(502, "NoAnswer", f"{error}. Is the app running?")
    return _passed_back(answer)


def _passed_back(answer: Answer) -> web.Response:
    if answer.kind in KINDS or not answer.body:
        return web.Response(status=answer.status, body=answer.body, content_type=answer.kind)
    return _error(502, "NoAnswer", f"The app answered {answer.status}, and not as the API does.")


def _error(status: int, code: str, message: str) -> web.Response:
    body = {"error": {"code": code, "message": message}}
    return web.json_response(body, status=status, headers=HEADERS)


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _connection(app: web.Application) -> AsyncIterator[None]:
    async with calling(app[OPERATED].app) as client:
        app[CLIENT] = client
        yield
