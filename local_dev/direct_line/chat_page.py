"""The chat page: Web Chat in a browser, which gets a token and never the secret."""

from aiohttp import web

from local_dev.direct_line.bodies import read_body
from local_dev.direct_line.client_routes import token_answer, user_in
from local_dev.direct_line.conversations import Conversation
from local_dev.direct_line.service import SERVICE, DirectLine
from local_dev.direct_line.wire import ApiError, JsonObject, parse_object, required

# Web Chat writes style elements, and reads files to upload from blob URLs. Pictures and videos
# in a bot's cards may come from anywhere; nothing else may.
CONTENT_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: blob:; "
    "worker-src blob:; img-src * data: blob:; media-src * data: blob:; frame-ancestors 'none'"
)


async def page_file(request: web.Request) -> web.StreamResponse:
    """Serve a file of the page."""
    name = request.path.lstrip("/") or "index.html"
    path = request.app[SERVICE].settings.web_chat / name
    if not path.is_file():
        raise ApiError(404, "NotFound", f"{name} is missing. Run 'make run', which fetches it.")
    caching = "public, max-age=86400" if name == "webchat.js" else "no-cache"
    headers = {"Cache-Control": caching, "Content-Security-Policy": CONTENT_POLICY}
    return web.FileResponse(path, headers=headers)


async def chat_token(request: web.Request) -> web.Response:
    """Give the page's user a token: of the conversation it was in, or of a new one."""
    _require_own_page(request)
    body = parse_object(await read_body(request))
    user = user_in(body)
    required(user.get("id", ""), "user.id")
    conversation = _conversation(request.app[SERVICE], user, fresh=body.get("startNew") is True)
    answer = token_answer(request.app[SERVICE], conversation)
    return web.json_response(answer | {"userId": user["id"]})


def _require_own_page(request: web.Request) -> None:
    """Refuse the other pages of this machine; those of other sites do not get here at all."""
    own = f"{request.scheme}://{request.host}"
    if request.headers.get("Origin", own) != own:
        raise ApiError(403, "Forbidden", "Only the chat page itself gets a token here.")


def _conversation(service: DirectLine, user: JsonObject, *, fresh: bool) -> Conversation:
    known = {each.id: each for each in service.conversations}
    current = known.get(service.page_users.get(user["id"], ""))
    if current is None or fresh:
        current = service.conversations.create(user)
        service.page_users[user["id"]] = current.id
    return current


FILES = ["/", "/chat.css", "/chat.js", "/webchat.js"]
ROUTES = [
    *[web.get(path, page_file) for path in FILES],
    web.post("/chat/token", chat_token),
]
