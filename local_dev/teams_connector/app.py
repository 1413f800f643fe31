"""The stand-in's HTTP side: the Bot Connector's calls that send, and the hooks for tests.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import json
import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from local_dev.callers import ONLY_THIS_MACHINE, refuse_others
from local_dev.teams_connector.connector import Taken, TeamsConnector
from local_dev.teams_connector.limits import Exceeded
from local_dev.teams_connector.refusals import Refusal, error

BODY_LIMIT: Final = 256 * 1024  # bytes; Teams takes far less, and says so with an error of its own
CONNECTOR: Final = web.AppKey("connector", TeamsConnector)
ONE: Final = "/v3/conversations/{conversation}/activities/{activity}"
WORDS: Final = ", ".join(Refusal)

logger = logging.getLogger(__name__)


def make_app(connector: TeamsConnector, *middlewares: Middleware) -> web.Application:
    """Return the application; the middlewares stand nearest to it, for faults of a test's own."""
    app = web.Application(
        middlewares=[refuse_others(ONLY_THIS_MACHINE), *middlewares], client_max_size=BODY_LIMIT
    )
    app[CONNECTOR] = connector
    app.add_routes(
        [
            web.post("/v3/conversations", create),
            web.post("/v3/conversations/{conversation}/activities", send),
            web.post(ONE, send),
            web.put(ONE, update),
            web.delete(ONE, delete),
            web.get("/local/counts", counts),
            web.post("/local/refusals", refuse),
        ]
    )
    return app


@asynccontextmanager
async def running(
    connector: TeamsConnector, *middlewares: Middleware, port: int = 0
) -> AsyncIterator[TeamsConnector]:
    """Serve it on 127.0.0.1 as long as the block lasts; port 0 is a free one.

    Raises:
        OSError: the port is taken.
    """
    runner = web.AppRunner(make_app(connector, *middlewares), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        connector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield connector
    finally:
        await runner.cleanup()


async def send(request: web.Request) -> web.Response:
    """Take what the bot says in a conversation."""
    connector, conversation = request.app[CONNECTOR], request.match_info["conversation"]
    activity = await _object(request)
    if (no := connector.judge(conversation, time.monotonic())) is not None:
        return _answer(no)
    connector.taken.append(Taken(conversation, str(activity.get("text", "")), time.time()))
    return web.json_response({"id": f"{len(connector.taken):013}"}, status=201)


async def update(request: web.Request) -> web.Response:
    """Replace what the bot has said."""
    connector, activity = request.app[CONNECTOR], await _object(request)
    place = _place_of(request)
    if isinstance(place, web.Response):
        return place
    connector.taken[place] = replace(
        connector.taken[place], text=str(activity.get("text", "")), at=time.time()
    )
    connector.updated += 1
    return web.json_response({"id": request.match_info["activity"]})


async def delete(request: web.Request) -> web.Response:
    """Take back what the bot has said."""
    connector, place = request.app[CONNECTOR], _place_of(request)
    if isinstance(place, web.Response):
        return place
    connector.taken[place] = replace(connector.taken[place], deleted=True)
    return web.Response()


def _place_of(request: web.Request) -> int | web.Response:
    """Return where the activity is that is meant, or the answer if nothing may be done to it."""
    connector, conversation = request.app[CONNECTOR], request.match_info["conversation"]
    if (no := connector.judge(conversation, time.monotonic())) is not None:
        return _answer(no)
    place = connector.find(conversation, request.match_info["activity"])
    return _answer(Refusal.NO_ACTIVITY) if place is None else place


async def create(request: web.Request) -> web.Response:
    """Let the bot begin a conversation with a person, unless that person refuses it."""
    connector, body = request.app[CONNECTOR], await _object(request)
    match body:
        case {"members": [{"id": str(person)}, *_]}:
            no = connector.judge(person, time.monotonic())
            if no is not None:
                return _answer(no)
            return web.json_response({"id": f"a:{person}"}, status=201)
    raise _bad("members must hold whom the conversation is with, with an id")


async def counts(request: web.Request) -> web.Response:
    """Say what was taken and what was not."""
    return web.json_response(request.app[CONNECTOR].counts())


async def refuse(request: web.Request) -> web.Response:
    """Let conversations, or people, refuse from now on; null takes that back."""
    wanted, refusals = await _object(request), request.app[CONNECTOR].refusals
    for name, word in wanted.items():
        if word is not None and word not in tuple(Refusal):  # which may be of any type
            raise _bad(f"{name} must be null or one of {WORDS}")
    for name, word in wanted.items():
        refusals.pop(name, None)
        if word is not None:
            refusals[name] = Refusal(word)
    return web.json_response(refusals)


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise _bad("the body must be JSON") from None
    except (ConnectionError, web.RequestPayloadError):
        raise _bad("the body cannot be read") from None  # nobody is left who would hear it
    if not isinstance(value, dict):
        raise _bad("the body must be a JSON object")
    return value


def _bad(message: str) -> web.HTTPBadRequest:
    body = json.dumps(error("BadArgument", message))
    return web.HTTPBadRequest(text=body, content_type="application/json")


def _answer(no: Exceeded | Refusal) -> web.Response:
    if isinstance(no, Refusal):
        return web.json_response(no.body(), status=no.status)
    logger.warning("too many requests, by the limit: %s", no.limit)
    body = error("TooManyRequests", f"More than the {no.limit} limit allows.")
    wait = str(max(1, math.ceil(no.wait)))
    return web.json_response(body, status=429, headers={"Retry-After": wait})
