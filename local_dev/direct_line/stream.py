"""The WebSocket on which a client sees what is said.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-direct-line-3-0-receive-activities
"""

import asyncio
import weakref

from aiohttp import WSCloseCode, web

from local_dev.direct_line.client_routes import BASE, check_grant, watermark_of
from local_dev.direct_line.conversations import Conversation
from local_dev.direct_line.service import SERVICE

CLOSE_TIMEOUT = 0.5  # seconds a client has to say goodbye
SOCKETS = web.AppKey("sockets", weakref.WeakSet[web.WebSocketResponse])


async def stream(request: web.Request) -> web.WebSocketResponse:
    """Send what was said since the watermark, then whatever is said, until somebody leaves."""
    service, conversation_id = request.app[SERVICE], request.match_info["conversation"]
    check_grant(service.tokens.read(request.query.get("t", "")), conversation_id)
    conversation = service.conversations.running(conversation_id)
    position = watermark_of(request)
    socket = web.WebSocketResponse(timeout=CLOSE_TIMEOUT)
    await socket.prepare(request)
    request.app[SOCKETS].add(socket)
    sending = asyncio.create_task(
        _send(socket, conversation, position, service.settings.keep_alive)
    )
    try:
        async for _ in socket:
            pass  # clients send empty frames, to keep the connection open
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return socket


async def close_all(app: web.Application) -> None:
    """End every stream, so that the service can stop at once."""
    closing = [socket.close(code=WSCloseCode.GOING_AWAY) for socket in app[SOCKETS]]
    await asyncio.gather(*closing)


async def _send(
    socket: web.WebSocketResponse, conversation: Conversation, position: int, keep_alive: float
) -> None:
    changed = asyncio.Event()
    conversation.listeners.add(changed.set)
    try:
        while not conversation.forgotten:
            changed.clear()
            activities, position = conversation.after(position)
            if activities:
                await socket.send_json({"activities": activities, "watermark": str(position)})
            try:
                await asyncio.wait_for(changed.wait(), keep_alive)
            except TimeoutError:
                await socket.send_str("")
    finally:
        conversation.listeners.discard(changed.set)
    await socket.close()


ROUTES = [web.get(f"{BASE}/conversations/{{conversation}}/stream", stream)]
