"""Bot Connector API: what the bot calls on its `serviceUrl`.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import asyncio
import logging
import secrets
from urllib.parse import parse_qsl

from aiohttp import web

from local_dev.direct_line.bodies import read_body
from local_dev.direct_line.conversations import Conversation
from local_dev.direct_line.service import SERVICE
from local_dev.direct_line.signing import openid_metadata
from local_dev.direct_line.wire import (
    ApiError,
    JsonObject,
    object_in,
    objects_in,
    parse_object,
    required,
    text_in,
)

logger = logging.getLogger(__name__)

TOKEN_LIFETIME = 3600  # seconds
FORM_FIELDS = 16
SCOPE = "https://api.botframework.com/.default"


async def bot_token(request: web.Request) -> web.Response:
    """Give the bot what it may call with, for its app id and password.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    service = request.app[SERVICE]
    try:
        form = dict(parse_qsl((await read_body(request)).decode(), max_num_fields=FORM_FIELDS))
    except (ValueError, ApiError):
        return _token_error(400, "invalid_request")
    if form.get("grant_type") != "client_credentials":
        return _token_error(400, "unsupported_grant_type")
    if form.get("scope") != SCOPE:
        return _token_error(400, "invalid_scope")
    offered = (form.get("client_id"), form.get("client_secret"))
    expected = (service.settings.app_id, service.settings.app_password)
    if offered != expected or not all(expected):
        return _token_error(401, "invalid_client")
    token = secrets.token_urlsafe(32)
    service.bot_tokens[token] = asyncio.get_running_loop().time() + TOKEN_LIFETIME
    answer = {"token_type": "Bearer", "expires_in": TOKEN_LIFETIME, "access_token": token}
    return web.json_response(answer)


async def bot_create(request: web.Request) -> web.Response:
    """Let the bot start a conversation with a user, with a first activity or without."""
    _require_bot(request)
    service, body = request.app[SERVICE], parse_object(await read_body(request))
    members = objects_in(body, "members", "members")
    for member in members:
        required(text_in(member, "id", "members.id"), "members.id")
    conversation = service.conversations.create(members[0] if members else {})
    conversation.start({})
    logger.info("conversation started by the bot id=%s", conversation.id)
    answer: JsonObject = {"id": conversation.id, "serviceUrl": service.base_url}
    if first := object_in(body, "activity", "activity"):
        answer["activityId"] = conversation.append(_from_bot(request, conversation, first))["id"]
    return web.json_response(answer, status=201)


async def bot_send(request: web.Request) -> web.Response:
    """Show an activity of the bot to the clients."""
    conversation = _conversation(request)
    activity = _from_bot(request, conversation, parse_object(await read_body(request)))
    stored = conversation.append(activity)
    logger.info("activity bot->user type=%r id=%s", stored["type"], stored["id"])
    return web.json_response({"id": stored["id"]})


async def bot_update(request: web.Request) -> web.Response:
    """Replace an activity."""
    conversation, activity_id = _conversation(request), request.match_info["activity"]
    activity = _from_bot(request, conversation, parse_object(await read_body(request)))
    conversation.replace(activity_id, activity)
    return web.json_response({"id": activity_id})


async def bot_delete(request: web.Request) -> web.Response:
    """Take an activity back."""
    _conversation(request).remove(request.match_info["activity"])
    return web.Response()


async def bot_members(request: web.Request) -> web.Response:
    """Return who takes part."""
    conversation = _conversation(request)
    bot = request.app[SERVICE].bot_account
    return web.json_response([*conversation.members.values(), bot])


async def bot_member(request: web.Request) -> web.Response:
    """Return one who takes part."""
    conversation, bot = _conversation(request), request.app[SERVICE].bot_account
    member = (conversation.members | {bot["id"]: bot}).get(request.match_info["member"])
    if member is None:
        raise ApiError(404, "MemberNotFound", "Nobody with this id takes part.")
    return web.json_response(member)


async def openid_configuration(request: web.Request) -> web.Response:
    """Tell the bot where the keys are that requests to it are signed with."""
    return web.json_response(openid_metadata(request.app[SERVICE].base_url))


async def signing_keys(request: web.Request) -> web.Response:
    """Tell the bot the keys that requests to it are signed with."""
    return web.json_response({"keys": [request.app[SERVICE].bot.signing_key.public()]})


def _require_bot(request: web.Request) -> None:
    service = request.app[SERVICE]
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    valid_until = service.bot_tokens.get(token, 0.0)
    if service.settings.app_id and valid_until <= asyncio.get_running_loop().time():
        message = "The bot needs a token from this service's token endpoint."
        raise ApiError(401, "Unauthorized", message)


def _conversation(request: web.Request) -> Conversation:
    _require_bot(request)
    return request.app[SERVICE].conversations.running(request.match_info["conversation"])


def _from_bot(request: web.Request, conversation: Conversation, activity: JsonObject) -> JsonObject:
    required(text_in(activity, "type", "type"), "type")
    service = request.app[SERVICE]
    sender = {"from": service.bot_account | {"role": "bot"}}
    return activity | service.envelope(conversation.id) | sender


def _token_error(status: int, error: str) -> web.Response:
    description = "See the log of the bot for what it sent."
    return web.json_response({"error": error, "error_description": description}, status=status)


ONE = "/v3/conversations/{conversation}"
ROUTES = [
    web.post("/{tenant}/oauth2/v2.0/token", bot_token),
    web.post("/v3/conversations", bot_create),
    web.post(f"{ONE}/activities", bot_send),
    web.post(f"{ONE}/activities/{{activity}}", bot_send),
    web.put(f"{ONE}/activities/{{activity}}", bot_update),
    web.delete(f"{ONE}/activities/{{activity}}", bot_delete),
    web.get(f"{ONE}/members", bot_members),
    web.get(f"{ONE}/members/{{member}}", bot_member),
    web.get("/v1/.well-known/openidconfiguration", openid_configuration),
    web.get("/v1/.well-known/keys", signing_keys),
]
