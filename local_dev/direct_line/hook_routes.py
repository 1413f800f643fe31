"""What tests call under /local, with the secret: faults, and things that take long to happen."""

from aiohttp import web

from local_dev.direct_line import client_routes, connector_routes, stream, uploads
from local_dev.direct_line.bodies import read_body
from local_dev.direct_line.client_routes import require_secret
from local_dev.direct_line.faults import parse_rule
from local_dev.direct_line.service import SERVICE
from local_dev.direct_line.wire import objects_in, parse_object, required, text_in

PROTOCOL_ROUTES = [
    *client_routes.ROUTES,
    *uploads.ROUTES,
    *stream.ROUTES,
    *connector_routes.ROUTES,
]
OPERATIONS = frozenset(route.handler.__name__ for route in PROTOCOL_ROUTES)
"""What a fault can be injected `on`: the handlers of both APIs, by name."""


async def add_faults(request: web.Request) -> web.Response:
    """Add the rules in a list; all of them, or none if one is wrong."""
    require_secret(request)
    body = parse_object(b'{"rules": %b}' % (await read_body(request) or b"[]"))
    rules = [parse_rule(source, OPERATIONS) for source in objects_in(body, "rules", "The body")]
    request.app[SERVICE].faults.rules += rules
    return await list_faults(request)


async def list_faults(request: web.Request) -> web.Response:
    """Return the rules in force, each with its hits."""
    require_secret(request)
    return web.json_response(request.app[SERVICE].faults.listing())


async def clear_faults(request: web.Request) -> web.Response:
    """Drop all rules."""
    require_secret(request)
    request.app[SERVICE].faults.rules.clear()
    return web.Response(status=204)


async def expire_tokens(request: web.Request) -> web.Response:
    """Make every Direct Line token issued so far an expired one."""
    require_secret(request)
    request.app[SERVICE].tokens.expire_all()
    return web.Response(status=204)


async def forget(request: web.Request) -> web.Response:
    """Make a conversation unknown to the service."""
    require_secret(request)
    body = parse_object(await read_body(request))
    conversation_id = required(text_in(body, "conversationId", "conversationId"), "conversationId")
    request.app[SERVICE].conversations.forget(conversation_id)
    return web.Response(status=204)


async def rotate_signing_key(request: web.Request) -> web.Response:
    """Sign requests to the bot with a new key, and publish only that."""
    require_secret(request)
    request.app[SERVICE].bot.rotate_signing_key()
    return web.Response(status=204)


async def list_conversations(request: web.Request) -> web.Response:
    """Return all conversations with what was said in them."""
    require_secret(request)
    listing = [
        {"id": each.id, "started": each.started, "user": each.user, "activities": each.after(0)[0]}
        for each in request.app[SERVICE].conversations
    ]
    return web.json_response(listing)


ROUTES = [
    web.post("/local/faults", add_faults),
    web.get("/local/faults", list_faults),
    web.delete("/local/faults", clear_faults),
    web.post("/local/expire-tokens", expire_tokens),
    web.post("/local/forget", forget),
    web.post("/local/rotate-signing-key", rotate_signing_key),
    web.get("/local/conversations", list_conversations),
]
