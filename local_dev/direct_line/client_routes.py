"""Direct Line API 3.0: what a client calls.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-direct-line-3-0-api-reference
"""

import logging
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web

from local_dev.direct_line.bodies import read_body
from local_dev.direct_line.conversations import Conversation, now
from local_dev.direct_line.service import SERVICE, DirectLine
from local_dev.direct_line.tokens import Grant
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

BASE = "/v3/directline"


async def generate_token(request: web.Request) -> web.Response:
    """Make a token, and the conversation it is for, which does not start yet."""
    require_secret(request)
    service = request.app[SERVICE]
    conversation = service.conversations.create(user_in(parse_object(await read_body(request))))
    return web.json_response(token_answer(service, conversation))


async def refresh_token(request: web.Request) -> web.Response:
    """Exchange a token that has not expired for one that lasts longer."""
    service, grant = request.app[SERVICE], caller(request)
    if grant is None:
        raise ApiError(403, "Forbidden", "Only a token can be refreshed, not the secret.")
    conversation = service.conversations.known(grant.conversation_id)
    return web.json_response(token_answer(service, conversation))


async def start_conversation(request: web.Request) -> web.Response:
    """Start the token's conversation, or with the secret a new one, and tell the bot."""
    service, grant = request.app[SERVICE], caller(request)
    body = parse_object(await read_body(request))
    user = user_in(body)
    if grant is None:
        conversation = service.conversations.create(user)
    else:
        conversation = service.conversations.known(grant.conversation_id)
    first = conversation.start(user)
    if first:
        logger.info("conversation started id=%s", conversation.id)
        added = [service.bot_account, *([conversation.user] if conversation.user else [])]
        locale = text_in(body, "locale", "locale")
        service.tell(conversation, _members_added(service, conversation, added, locale))
    return web.json_response(_stream_answer(service, conversation), status=201 if first else 200)


async def get_conversation(request: web.Request) -> web.Response:
    """Let a client come back: a new token, and a stream from where it was."""
    conversation, _ = running_conversation(request)
    answer = _stream_answer(request.app[SERVICE], conversation, watermark_of(request))
    return web.json_response(answer)


async def get_activities(request: web.Request) -> web.Response:
    """Return what was said after the watermark."""
    conversation, _ = running_conversation(request)
    activities, position = conversation.after(watermark_of(request))
    return web.json_response({"activities": activities, "watermark": str(position)})


async def post_activity(request: web.Request) -> web.Response:
    """Take an activity of a user, and answer when the bot is done with it."""
    conversation, grant = running_conversation(request)
    activity = parse_object(await read_body(request))
    user_id = grant.user_id if grant else ""
    return await take_activity(request.app[SERVICE], conversation, activity, user_id)


async def take_activity(
    service: DirectLine, conversation: Conversation, activity: JsonObject, user_id: str
) -> web.Response:
    """Store an activity, so that the stream shows it, then forward it to the bot.

    Args:
        service: The service.
        conversation: Where it was posted.
        activity: What was posted.
        user_id: Overrides `from.id`, unless empty. A token-bound user can be nobody else.
    """
    kind = required(text_in(activity, "type", "type"), "type")
    text_in(activity, "text", "text")
    objects_in(activity, "attachments", "attachments")
    before = set(conversation.members)
    account = _sender(conversation, object_in(activity, "from", "from"), user_id)
    if account["id"] not in before:  # who becomes known only now
        service.tell(conversation, _members_added(service, conversation, [account]))
    stored = conversation.append(activity | service.envelope(conversation.id) | {"from": account})
    logger.info("activity user->bot type=%r id=%s", kind, stored["id"])
    try:
        await service.bot.send(stored | {"recipient": service.bot_account})
    except ApiError as error:
        logger.warning("activity id=%s not delivered: %s", stored["id"], error)
        raise
    return web.json_response({"id": stored["id"]})


def caller(request: web.Request) -> Grant | None:
    """Return what the caller's token allows, or None for the secret, which allows everything.

    Raises:
        ApiError: 401 or 403.
    """
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        message = "A header 'Authorization: Bearer <token or secret>' is required."
        raise ApiError(401, "Unauthorized", message)
    tokens = request.app[SERVICE].tokens
    return None if tokens.is_secret(credential) else tokens.read(credential)


def require_secret(request: web.Request) -> None:
    """Refuse everybody without the secret."""
    if caller(request) is not None:
        raise ApiError(403, "Forbidden", "This call needs the secret; a token is not enough.")


def running_conversation(request: web.Request) -> tuple[Conversation, Grant | None]:
    """Return the conversation in the path, once the caller has proved that it may see it."""
    grant, conversation_id = caller(request), request.match_info["conversation"]
    check_grant(grant, conversation_id)
    return request.app[SERVICE].conversations.running(conversation_id), grant


def check_grant(grant: Grant | None, conversation_id: str) -> None:
    """Refuse the token of another conversation."""
    if grant is not None and grant.conversation_id != conversation_id:
        raise ApiError(403, "Forbidden", "The token is for another conversation.")


def watermark_of(request: web.Request) -> int:
    """Return the position a client asks from; none is the beginning."""
    watermark = request.query.get("watermark", "") or "0"
    if not (watermark.isascii() and watermark.isdigit()):
        raise ApiError(400, "BadArgument", "watermark must be one that this service gave out.")
    return int(watermark[:18])  # longer than any log


def user_in(body: JsonObject) -> JsonObject:
    """Return the user named in a body, if any: Direct Line clients may send an empty one."""
    user = object_in(body, "user", "user")
    text_in(user, "name", "user.name")
    return {**user, "role": "user"} if text_in(user, "id", "user.id") else {}


def token_answer(service: DirectLine, conversation: Conversation) -> JsonObject:
    """Return a new token of a conversation, with what goes with it."""
    grant = Grant(conversation.id, conversation.user.get("id", ""))
    return {
        "conversationId": conversation.id,
        "token": service.tokens.issue(grant),
        "expires_in": int(service.tokens.lifetime),
    }


def _stream_answer(
    service: DirectLine, conversation: Conversation, position: int = 0
) -> JsonObject:
    answer = token_answer(service, conversation)
    query = urlencode({"watermark": position, "t": answer["token"]})
    path = f"{BASE}/conversations/{conversation.id}/stream?{query}"
    return answer | {"streamUrl": service.base_url.replace("http", "ws", 1) + path}


def _sender(conversation: Conversation, posted: JsonObject, user_id: str) -> JsonObject:
    text_in(posted, "name", "from.name")
    sender_id = user_id or required(text_in(posted, "id", "from.id"), "from.id")
    known = conversation.members.get(sender_id, {})
    conversation.members[sender_id] = known | posted | {"id": sender_id, "role": "user"}
    return conversation.members[sender_id]


def _members_added(
    service: DirectLine, conversation: Conversation, members: list[JsonObject], locale: str = ""
) -> JsonObject:
    update = service.envelope(conversation.id) | {
        "type": "conversationUpdate",
        "id": uuid4().hex,
        "timestamp": now(),
        "from": conversation.user or {"id": conversation.id},
        "recipient": service.bot_account,
        "membersAdded": members,
    }
    return update | ({"locale": locale} if locale else {})


ROUTES = [
    web.post(f"{BASE}/tokens/generate", generate_token),
    web.post(f"{BASE}/tokens/refresh", refresh_token),
    web.post(f"{BASE}/conversations", start_conversation),
    web.get(f"{BASE}/conversations/{{conversation}}", get_conversation),
    web.get(f"{BASE}/conversations/{{conversation}}/activities", get_activities),
    web.post(f"{BASE}/conversations/{{conversation}}/activities", post_activity),
]
