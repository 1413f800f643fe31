"""A service URL that leads back to the bot: it is told so, and does not talk to itself."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from aiohttp.web import Application, Request, Response

from tests.functional.app_under_test import AppUnderTest
from tests.functional.messages import activity, reference_of

ROUNDS = 10  # that a bot may make before it is taken to go on for ever


@asynccontextmanager
async def forwarder(to: str) -> AsyncIterator[tuple[str, list[tuple[int, str]]]]:
    """A port that hands whatever comes on to one address, as a proxy may, and what was answered."""
    answers: list[tuple[int, str]] = []

    async def hand_on(request: Request) -> Response:
        if len(answers) >= ROUNDS:  # a bot that does talk to itself fails its test, and then stops
            return Response(status=503)
        headers = {name: request.headers[name] for name in ("User-Agent", "Content-Type")}
        body = await request.read()
        async with session.post(to, data=io.BytesIO(body), headers=headers) as answer:
            text = await answer.text()
            answers.append((answer.status, text))
            return Response(status=answer.status, text=text, content_type="application/json")

    server = Application()
    server.router.add_route("*", "/{path:.*}", hand_on)
    async with aiohttp.ClientSession() as session, TestServer(server) as listening:
        yield str(listening.make_url("")).rstrip("/"), answers


@pytest.mark.parametrize("path", ["", "/", "/api/messages", "/api/messages/", "/x/../y"])
async def test_the_bot_does_not_talk_to_itself(app: AppUnderTest, path: str) -> None:
    ada = await app.user()
    async with forwarder(app.bot_url) as (url, answers):
        await app.post(activity(ada, serviceUrl=url + path))
        assert await app.waiting() == 1  # what Ada said
        await app.run_worker()
    assert answers
    assert all(status == 400 and "LoopDetected" in text for status, text in answers)
    assert await app.waiting() == 0


async def test_direct_line_that_leads_back_to_the_bot_is_a_dead_letter(app: AppUnderTest) -> None:
    async with forwarder(app.bot_url) as (url, answers):
        await app.rewire({"DirectLineEndpoint": url})
        await app.enqueue({"conversation": reference_of(await app.user()), "text": "x"})
        await app.run_worker()
    await app.file_dead_letters()
    assert [status for status, _ in answers] == [400]
    (filed,) = await app.filed()
    assert "LoopDetected" in filed.dead_letter.reason
