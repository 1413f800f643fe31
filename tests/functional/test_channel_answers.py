"""What a channel answers, and what the connector makes of it."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from botbuilder.schema import Activity

from bot_logic.bot_endpoint.sdk.connector import Connector
from bot_logic.errors import (
    ActivityGone,
    AskedToWait,
    ConversationBlocked,
    ConversationGone,
    Refused,
    ServiceUnavailable,
)
from bot_logic.outgoing import MAX_ANSWER, open_session
from bot_logic.secret import Secret

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Token:
    """Credentials that count how often a token was refused."""

    def __init__(self) -> None:
        self.refused = 0

    async def token(self) -> Secret:
        return Secret(f"token-{self.refused}")

    def forget(self) -> None:
        self.refused += 1


@asynccontextmanager
async def channel(answer: Answer, token: Token | None = None) -> AsyncIterator[Connector]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, open_session(10) as session:
        yield Connector(session, token or Token(), str(server.make_url("/")))


async def send(connector: Connector) -> str:
    sent = await connector.send_to_conversation("c1", Activity(type="message", text="hello"))
    return str(sent.id)


def always(status: int, text: str = "", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=names)

    return answer


def code(word: str) -> str:
    return f'{{"error": {{"code": "{word}"}}}}'


# As Microsoft's page on proactive messages shows it, all of 403's body.
BLOCKED_OR_UNINSTALLED = (
    r'{"errorCode":209,"message":"{\r\n  \"subCode\": \"MessageWritesBlocked\",\r\n  \"details\": '
    r"\"Thread is blocked from message writes.\",\r\n  \"errorCode\": null,\r\n  "
    r'\"errorSubCode\": null\r\n}"}'
)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (always(429), AskedToWait),
        (always(429, Retry_After="7"), AskedToWait),
        (always(503, Retry_After="7"), AskedToWait),
        (always(503), ServiceUnavailable),
        (always(409, code("Conflict")), ServiceUnavailable),
        (always(412, code("PreconditionFailed")), ServiceUnavailable),
        (always(423, code("Locked")), ServiceUnavailable),
        (always(425), ServiceUnavailable),
        (always(401, code("Unauthorized")), ServiceUnavailable),
        (always(404, "<html>a proxy's page</html>"), ServiceUnavailable),
        (always(403, "<html>a proxy's page</html>"), ServiceUnavailable),
        (always(403, code("InsufficientPermissions")), Refused),
        (always(404, code("ConversationNotFound")), ConversationGone),
        (always(404, code("ActivityNotFoundInConversation")), ActivityGone),
        (always(403, code("ConversationNotFound")), Refused),
        (always(500, code("ConversationNotFound")), ServiceUnavailable),
        (always(403, code("ConversationBlockedByUser")), ConversationBlocked),
        (always(403, code("BotNotInConversationRoster")), ConversationBlocked),
        (always(403, code("BotDisabledByAdmin")), ConversationBlocked),
        (always(403, code("ForbiddenOperationException")), ConversationBlocked),
        (always(403, code("TenantNoPermission")), ConversationBlocked),
        (always(403, code("MessageWritesBlocked")), ConversationBlocked),
        (always(403, BLOCKED_OR_UNINSTALLED), ConversationBlocked),
        (always(403, '{"errorCode": 209, "message": "something else"}'), Refused),
        (always(403, code("InvalidBotApiHost")), Refused),
        (always(400, code("BadArgument")), Refused),
        (always(413), Refused),
    ],
)
async def test_each_refusal_says_what_to_do_next(answer: Answer, error: type[Exception]) -> None:
    async with channel(answer) as connector:
        with pytest.raises(error) as raised:
            await send(connector)
    assert type(raised.value) is error


async def test_what_was_taken_is_taken_whatever_the_answer_says() -> None:
    for text in ("", "thank you", "[", '{"id": 7}'):
        async with channel(always(200, text)) as connector:
            assert await send(connector) == ""


async def test_an_answer_that_breaks_off_was_taken_all_the_same() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"id": "')
        assert request.transport is not None
        request.transport.close()
        return response

    async with channel(answer) as connector:
        assert await send(connector) == ""


@pytest.mark.parametrize("body", [gzip.compress(b" " * 50_000_000), b"x" * (MAX_ANSWER + 1)])
async def test_an_answer_is_neither_unpacked_nor_read_without_an_end(body: bytes) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with channel(answer) as connector:
        assert await send(connector) == ""


async def test_a_token_that_a_channel_refuses_is_not_shown_again() -> None:
    shown = []

    async def answer(request: web.Request) -> web.Response:
        shown.append(request.headers["Authorization"])
        return web.Response(status=401 if len(shown) == 1 else 200)

    async with channel(answer, Token()) as connector:
        with pytest.raises(ServiceUnavailable):
            await send(connector)
        await send(connector)
    assert shown == ["Bearer token-0", "Bearer token-1"]
