"""What the chat page shows of a bot that fails or is not up, in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.end_to_end.conftest import NewChat, RunningStack
from tests.expected import acknowledgement, proactive

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def failing_bot(running: RunningStack) -> AsyncIterator[None]:
    """Put a bot in the place of the app that answers as a bot does whose code raised."""

    async def fail(_: web.Request) -> web.Response:
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/api/messages", fail)
    port = running.stack.ports.functions
    async with running.without("functions"), TestServer(app, port=port):
        yield


async def test_a_message_that_the_bot_failed_on_was_not_sent(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    async with failing_bot(running):
        await chat.says("hello")
        await chat.sees_a_failure()
    await chat.tries_again()
    await chat.sees(await acknowledgement("hello"))
    await chat.sees(await proactive("hello"))


async def test_who_comes_before_the_bot_is_welcomed_by_it_and_loses_nothing(
    new_chat: NewChat, running: RunningStack
) -> None:
    async with running.without("functions"):
        chat = await new_chat.before_the_bot_answers()
        await chat.says("is anybody there?")
        await chat.sees_a_failure()
        assert await chat.all_it_sees() == ["is anybody there?"]
    await chat.is_welcomed()
    await chat.tries_again()
    await chat.sees(await acknowledgement("is anybody there?"))


async def test_a_message_that_the_service_did_not_get_was_not_sent(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    async with running.without("direct-line"):
        await chat.says("hello")
        await chat.sees_a_failure()
