"""The chat page's side of the local Direct Line, and its command line."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from local_dev.direct_line import Settings, running
from local_dev.programs import Program, Running
from local_dev.programs import running as running_program
from local_dev.readiness import printing
from tests.functional.answer import Answer
from tests.functional.local_direct_line_scene import MESSAGE, SECRET, Scene, scene

USER = {"id": "dl_ann", "name": "You"}


@pytest.fixture
async def line() -> AsyncIterator[Scene]:
    async with scene() as it:
        yield it


async def enter(line: Scene, user: object = USER, **more: object) -> Answer:
    headers = {"Origin": line.service.base_url}
    return await line.call("POST", "/chat/token", {"user": user, **more}, "", headers=headers)


@pytest.mark.parametrize(
    ("path", "content"),
    [("/", "<title>Proactive bot</title>"), ("/chat.js", "make run"), ("/chat.css", "main")],
)
async def test_the_page_is_served_without_the_secret(line: Scene, path: str, content: str) -> None:
    answer = await line.call("GET", path, token="")
    assert answer.status == 200
    assert content in answer.body
    assert SECRET not in answer.body
    assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_web_chat_itself_may_be_cached(tmp_path: Path) -> None:
    (tmp_path / "webchat.js").write_text("window.WebChat = {};")
    async with scene(web_chat=tmp_path) as line:
        answer = await line.call("GET", "/webchat.js", token="")
    assert answer.body == "window.WebChat = {};"
    assert "max-age" in answer.headers["Cache-Control"]


async def test_a_missing_web_chat_says_what_to_do(tmp_path: Path) -> None:
    async with scene(web_chat=tmp_path) as line:
        answer = await line.call("GET", "/webchat.js", token="")
    assert answer.status == 404
    assert "make run" in answer.body["error"]["message"]


async def test_the_page_gets_a_token_of_its_user(line: Scene) -> None:
    entered = await enter(line)
    assert entered.body["userId"] == "dl_ann"
    started = await line.client("POST", "conversations", token=entered.body["token"])
    path = f"conversations/{started.body['conversationId']}/activities"
    forged = MESSAGE | {"from": {"id": "dl_eve"}}
    await line.client("POST", path, forged, token=entered.body["token"])
    assert (await line.bot.receives("message"))["from"]["id"] == "dl_ann"


async def test_a_reload_comes_back_to_the_same_conversation(line: Scene) -> None:
    first, second = await enter(line), await enter(line)
    other = await enter(line, {"id": "dl_bob"})
    assert first.body["conversationId"] == second.body["conversationId"]
    assert first.body["conversationId"] != other.body["conversationId"]


async def test_a_user_may_start_anew(line: Scene) -> None:
    first, second = await enter(line), await enter(line, startNew=True)
    third = await enter(line)
    assert first.body["conversationId"] != second.body["conversationId"]
    assert second.body["conversationId"] == third.body["conversationId"]


async def test_a_conversation_that_is_gone_is_replaced(line: Scene) -> None:
    first = (await enter(line)).body["conversationId"]
    line.service.conversations.forget(first)
    assert (await enter(line)).body["conversationId"] != first


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://evil.example", "Host": "evil.example"},
        {"Host": "evil.example"},
    ],
    ids=str,
)
async def test_no_other_site_gets_a_token(line: Scene, headers: dict[str, str]) -> None:
    answer = await line.call("POST", "/chat/token", {"user": USER}, "", headers=headers)
    assert answer.error == (403, "Forbidden")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("user", [None, {}, {"id": ""}, {"id": 1}, "ann"], ids=str)
async def test_the_page_must_name_its_user(line: Scene, user: object) -> None:
    answer = await enter(line, user)
    assert answer.status == 400
    assert "user" in answer.body["error"]["message"]


async def test_a_token_outlives_a_restart_but_its_conversation_does_not() -> None:
    async with scene() as line:
        before = await line.start()
    async with scene() as line:
        path = f"conversations/{before['conversationId']}"
        answer = await line.client("GET", path, token=before["token"])
        assert answer.error == (404, "ConversationNotFound")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_it_answers_on_loopback(line: Scene, host: str) -> None:
    if host == "[::1]" and not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    url = line.service.base_url.replace("localhost", host)
    async with line.session.get(url) as answer:
        assert answer.status == 200


async def test_a_port_in_use_is_an_error(line: Scene) -> None:
    port = int(line.service.base_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        async with running(Settings("http://localhost:9", SECRET, port=port)):
            pass


def command(port: int, secret: str) -> Program:
    words = [sys.executable, "-m", "local_dev.direct_line", "--port", str(port)]
    words += ["--bot", "http://localhost:9"]
    ready = printing(f"http://localhost:{port}")
    return Program("direct-line", words, ready, {"DirectLineSecret": secret})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_stops_promptly_with_streams_open(number: signal.Signals) -> None:
    port = unused_port()
    with running_program(command(port, SECRET)) as process:
        async with aiohttp.ClientSession() as session:
            url = f"http://localhost:{port}/v3/directline/conversations"
            headers = {"Authorization": f"Bearer {SECRET}"}
            async with session.post(url, headers=headers) as answer:
                started = await answer.json()
            async with session.post(
                f"{url}/{started['conversationId']}/activities", headers=headers, json=MESSAGE
            ) as answer:
                assert answer.status == 502
            async with session.ws_connect(started["streamUrl"]):
                process.send(number)
                assert await asyncio.to_thread(process.ends, 5) == 0
        assert "conversation started" in process.printed
        for private in (SECRET, started["token"], MESSAGE["text"]):
            assert str(private) not in process.printed


def test_the_command_needs_a_secret() -> None:
    process = Running(command(1, ""))
    assert process.ends() == 1
    assert "DirectLineSecret" in process.printed
