"""What a Direct Line client sees of the local Direct Line."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port

from tests.functional.local_direct_line_scene import MESSAGE, SECRET, Scene, scene


@pytest.fixture
async def line() -> AsyncIterator[Scene]:
    async with scene() as it:
        yield it


async def test_a_started_conversation_has_all_that_a_client_needs(line: Scene) -> None:
    answer = await line.client("POST", "conversations")
    assert answer.status == 201
    assert set(answer.body) == {"conversationId", "token", "expires_in", "streamUrl"}
    assert answer.body["expires_in"] == 1800
    assert answer.body["streamUrl"].startswith(line.service.base_url.replace("http", "ws"))


async def test_a_generated_token_starts_its_own_conversation_once(line: Scene) -> None:
    generated = (await line.client("POST", "tokens/generate", {"user": {"id": "dl_ann"}})).body
    started = await line.client("POST", "conversations", token=generated["token"])
    again = await line.client("POST", "conversations", token=generated["token"])
    assert (started.status, again.status) == (201, 200)
    assert started.body["conversationId"] == generated["conversationId"]
    await line.bot.receives("conversationUpdate")
    assert [each["type"] for each in line.bot.activities] == ["conversationUpdate"]


async def test_an_empty_user_such_as_web_chat_sends_is_no_user(line: Scene) -> None:
    assert (await line.client("POST", "conversations", {"user": {}})).status == 201
    update = await line.bot.receives("conversationUpdate")
    assert len(update["membersAdded"]) == 1


async def test_the_bot_learns_who_joined(line: Scene) -> None:
    conversation = await line.start("dl_ann")
    update = await line.bot.receives("conversationUpdate")
    assert [member["id"] for member in update["membersAdded"]] == ["bot", "dl_ann"]
    assert update["from"]["id"] == "dl_ann"
    assert update["recipient"]["id"] == "bot"
    assert update["conversation"]["id"] == conversation["conversationId"]
    assert update["serviceUrl"] == line.service.base_url


async def test_a_conversation_of_nobody_comes_from_itself(line: Scene) -> None:
    conversation = await line.start()
    update = await line.bot.receives("conversationUpdate")
    assert update["from"] == {"id": conversation["conversationId"]}


async def test_a_start_waits_for_no_slow_bot(line: Scene) -> None:
    line.bot.delay = 30
    async with asyncio.timeout(2):
        await line.start()
        await line.bot.receives("conversationUpdate")


async def test_a_start_needs_no_bot() -> None:
    async with scene(bot_url="http://localhost:9/api/messages") as line:
        await line.start()


async def test_a_posted_activity_reaches_the_bot_and_the_stream(line: Scene) -> None:
    conversation = await line.start()
    conversation_id = conversation["conversationId"]
    posted = MESSAGE | {"channelData": {"clientActivityID": "1.2"}}
    answer = await line.client("POST", f"conversations/{conversation_id}/activities", posted)
    assert (answer.status, answer.body) == (200, {"id": f"{conversation_id}|0000001"})
    expected = posted | {
        "id": answer.body["id"],
        "from": {"id": "dl_ann", "name": "Ann", "role": "user"},
        "channelId": "directline",
        "conversation": {"id": conversation_id},
        "serviceUrl": line.service.base_url,
    }
    listed = await line.client("GET", f"conversations/{conversation_id}/activities")
    assert listed.body["watermark"] == "1"
    [seen] = listed.body["activities"]
    received = await line.bot.receives("message")
    assert received.pop("recipient")["id"] == "bot"
    assert seen == received
    assert seen.pop("timestamp").endswith("Z")
    assert seen == expected


@pytest.mark.parametrize("kind", ["typing", "event"])
async def test_other_activities_reach_the_bot_too(line: Scene, kind: str) -> None:
    conversation = await line.start()
    path = f"conversations/{conversation['conversationId']}/activities"
    await line.client("POST", path, {"type": kind, "from": {"id": "dl_ann"}, "value": [1]})
    assert (await line.bot.receives(kind))["value"] == [1]


async def test_the_user_of_a_token_can_be_nobody_else(line: Scene) -> None:
    conversation = await line.start("dl_ann")
    path = f"conversations/{conversation['conversationId']}/activities"
    forged = MESSAGE | {"from": {"id": "dl_eve"}}
    await line.client("POST", path, forged, token=conversation["token"])
    assert (await line.bot.receives("message"))["from"]["id"] == "dl_ann"


async def test_a_watermark_skips_what_was_seen(line: Scene) -> None:
    conversation = await line.start()
    for text in ("one", "two", "three"):
        await line.say(conversation, text)
    assert await line.texts(conversation) == ["one", "two", "three"]
    assert await line.texts(conversation, "2") == ["three"]
    assert await line.texts(conversation, "99") == []


async def test_conversations_do_not_see_each_other(line: Scene) -> None:
    first, second = await line.start(), await line.start()
    await line.say(first, "for the first")
    assert await line.texts(second) == []


@pytest.mark.parametrize(
    ("status", "expected"), [(500, 502), (401, 502), (302, 502), (202, 200)], ids=str
)
async def test_the_status_of_the_bot_decides(line: Scene, status: int, expected: int) -> None:
    conversation = await line.start()
    line.bot.status = status
    assert (await line.say(conversation, "hello")).status == expected


async def test_a_failure_of_the_bot_is_named(line: Scene) -> None:
    conversation = await line.start()
    line.bot.status = 503
    answer = await line.say(conversation, "hello")
    assert answer.error == (502, "BotError")
    assert "503" in answer.body["error"]["message"]
    assert await line.texts(conversation) == ["hello"]


async def test_a_bot_that_is_not_there_is_an_error_of_the_bot() -> None:
    async with scene(bot_url="http://localhost:9/api/messages") as line:
        answer = await line.say(await line.start(), "hello")
    assert answer.error == (502, "BotError")
    assert "bot is not there" in answer.body["error"]["message"]


async def test_a_bot_that_comes_up_later_is_told_who_has_joined() -> None:
    port = unused_port()
    async with scene(bot_url=f"http://localhost:{port}/api/messages") as line:
        await line.start("dl_ann")
        async with TestServer(line.bot.app(), port=port):
            update = await line.bot.receives("conversationUpdate")
    assert [each["id"] for each in update["membersAdded"]] == ["bot", "dl_ann"]


async def test_a_bot_that_does_not_come_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async with scene(bot_url="http://localhost:9/api/messages", bot_wait=0.1) as line:
        await line.service.bot.send_later({"type": "conversationUpdate"})
    assert "conversationUpdate not delivered" in caplog.text


async def test_a_slow_bot_is_a_timeout() -> None:
    async with scene(bot_timeout=0.1) as line:
        conversation = await line.start()
        line.bot.delay = 5
        assert (await line.say(conversation, "hello")).error == (504, "BotError")


async def test_a_refreshed_token_is_for_the_same_conversation(line: Scene) -> None:
    conversation = await line.start("dl_ann")
    answer = await line.client("POST", "tokens/refresh", token=conversation["token"])
    assert answer.body["conversationId"] == conversation["conversationId"]
    path = f"conversations/{conversation['conversationId']}/activities"
    listed = await line.client("GET", path, token=answer.body["token"])
    assert listed.status == 200


@pytest.mark.parametrize("token", ["", "wrong", "a.b.c", SECRET + "x", "\N{SNOWMAN}"], ids=ascii)
async def test_a_bad_credential_is_refused(line: Scene, token: str) -> None:
    answer = await line.client("POST", "conversations", token=token)
    assert answer.error == (401, "Unauthorized")


async def test_an_expired_token_is_refused() -> None:
    async with scene(token_lifetime=0) as line:
        conversation = await line.start()
        path = f"conversations/{conversation['conversationId']}/activities"
        answer = await line.client("GET", path, token=conversation["token"])
        assert answer.error == (403, "TokenExpired")


async def test_a_token_of_another_conversation_is_refused(line: Scene) -> None:
    mine, other = await line.start(), await line.start()
    path = f"conversations/{other['conversationId']}"
    for method, end in (("GET", ""), ("GET", "/activities"), ("POST", "/activities")):
        body = MESSAGE if method == "POST" else None
        answer = await line.client(method, path + end, body, token=mine["token"])
        assert answer.error == (403, "Forbidden")


async def test_a_token_is_not_enough_to_make_tokens(line: Scene) -> None:
    conversation = await line.start()
    answer = await line.client("POST", "tokens/generate", token=conversation["token"])
    assert answer.error == (403, "Forbidden")


async def test_the_secret_cannot_be_refreshed(line: Scene) -> None:
    assert (await line.client("POST", "tokens/refresh")).error == (403, "Forbidden")


@pytest.mark.parametrize("end", ["", "/activities"])
async def test_an_unknown_conversation_is_not_found(line: Scene, end: str) -> None:
    answer = await line.client("GET", f"conversations/nobody{end}")
    assert answer.error == (404, "ConversationNotFound")


async def test_a_conversation_that_was_not_started_is_not_found(line: Scene) -> None:
    generated = (await line.client("POST", "tokens/generate")).body
    answer = await line.say(generated, "too early")
    assert answer.error == (404, "ConversationNotFound")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "JSON"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "JSON"),
        (b'{"type": NaN}', "JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"", "type"),
        (b'{"type": 1}', "type"),
        (b'{"type": "message"}', "from.id"),
        (b'{"type": "message", "from": "ann"}', "from"),
        (b'{"type": "message", "from": {"id": 7}}', "from.id"),
        (b'{"type": "message", "from": {"id": "a", "name": 7}}', "from.name"),
        (b'{"type": "message", "from": {"id": "a"}, "text": {}}', "text"),
        (b'{"type": "message", "from": {"id": "a"}, "attachments": [0]}', "attachments"),
    ],
    ids=lambda value: repr(value[:40]),
)
async def test_a_malformed_activity_is_refused_by_name(
    line: Scene, body: bytes, field: str
) -> None:
    conversation = await line.start()
    path = f"conversations/{conversation['conversationId']}/activities"
    answer = await line.client("POST", path, data=body)
    assert answer.status == 400
    assert field in answer.body["error"]["message"]
    assert await line.texts(conversation) == []


@pytest.mark.parametrize("body", [{"user": "ann"}, {"user": {"id": 1}}, {"user": {"name": []}}])
@pytest.mark.parametrize("path", ["tokens/generate", "conversations"])
async def test_a_malformed_user_is_refused_by_name(line: Scene, path: str, body: object) -> None:
    answer = await line.client("POST", path, body)
    assert answer.error == (400, "BadArgument")
    assert "user" in answer.body["error"]["message"]


@pytest.mark.parametrize("watermark", ["-1", "x", "1.5", "\N{ARABIC-INDIC DIGIT ONE}"], ids=ascii)
async def test_a_malformed_watermark_is_refused(line: Scene, watermark: str) -> None:
    conversation = await line.start()
    path = f"conversations/{conversation['conversationId']}/activities?watermark={watermark}"
    assert (await line.client("GET", path)).error == (400, "BadArgument")


@pytest.mark.parametrize(
    ("length", "status"), [(256 * 1024, 200), (256 * 1024 + 1, 413), (21 << 20, 413)], ids=str
)
async def test_an_activity_has_a_limit(line: Scene, length: int, status: int) -> None:
    conversation = await line.start()
    path = f"conversations/{conversation['conversationId']}/activities"
    padding = length - len(json.dumps(MESSAGE | {"text": ""}))
    body = json.dumps(MESSAGE | {"text": "x" * padding}).encode()
    answer = await line.client("POST", path, data=io.BytesIO(body))
    assert answer.status == status
    assert status == 200 or answer.body["error"]["code"] == "MessageSizeTooBig"


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "nothing/here", (404, "NotFound")),
        ("DELETE", "conversations", (405, "MethodNotAllowed")),
    ],
)
async def test_a_wrong_address_gets_an_error_of_the_same_shape(
    line: Scene, method: str, path: str, error: tuple[int, str]
) -> None:
    assert (await line.client(method, path)).error == error


async def test_any_page_of_this_machine_may_call_and_nothing_is_cached(line: Scene) -> None:
    asked = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-ms-bot-agent",
    }
    preflight = await line.client("OPTIONS", "conversations", token="", headers=asked)
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert preflight.headers["Access-Control-Allow-Headers"] == "authorization,x-ms-bot-agent"
    for path in ("conversations", "nothing/here"):
        answer = await line.client("POST", path, headers={"Origin": "http://localhost:5173"})
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
        assert answer.headers["Cache-Control"] == "no-store"


async def next_texts(socket: aiohttp.ClientWebSocketResponse) -> tuple[list[str], str]:
    while True:
        if frame := await socket.receive_str(timeout=5):
            said = json.loads(frame)
            return [each["text"] for each in said["activities"]], said["watermark"]


async def test_a_stream_shows_what_was_said_and_what_is_said(line: Scene) -> None:
    conversation = await line.start()
    await line.say(conversation, "before")
    async with line.session.ws_connect(conversation["streamUrl"]) as socket:
        assert await next_texts(socket) == (["before"], "1")
        await line.bot_says(conversation, "now")
        assert await next_texts(socket) == (["now"], "2")


async def test_a_stream_goes_on_from_where_the_client_was(line: Scene) -> None:
    conversation = await line.start()
    for text in ("one", "two"):
        await line.say(conversation, text)
    path = f"conversations/{conversation['conversationId']}?watermark=1"
    back = await line.client("GET", path, token=conversation["token"])
    async with line.session.ws_connect(back.body["streamUrl"]) as socket:
        assert await next_texts(socket) == (["two"], "2")


async def test_a_stream_stays_open_with_empty_frames_both_ways() -> None:
    async with scene(keep_alive=0.05) as line:
        conversation = await line.start()
        async with line.session.ws_connect(conversation["streamUrl"]) as socket:
            await socket.send_str("")
            assert await socket.receive_str(timeout=5) == ""
            await line.say(conversation, "still here")
            assert await next_texts(socket) == (["still here"], "1")


async def test_a_conversation_has_as_many_streams_as_clients(line: Scene) -> None:
    conversation = await line.start()
    url = conversation["streamUrl"]
    async with line.session.ws_connect(url) as left, line.session.ws_connect(url) as right:
        await line.say(conversation, "to both")
        assert await next_texts(left) == await next_texts(right) == (["to both"], "1")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda url, _: url.partition("?")[0], 401),
        (lambda url, _: url + "x", 401),
        (lambda url, other: url.replace(other["mine"], other["other"]), 403),
    ],
    ids=["no token", "bad token", "token of another conversation"],
)
async def test_a_stream_needs_the_token_of_its_conversation(
    line: Scene, change: Any, status: int
) -> None:
    mine, other = await line.start(), await line.start()
    ids = {"mine": mine["conversationId"], "other": other["conversationId"]}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await line.session.ws_connect(change(mine["streamUrl"], ids))
    assert refused.value.status == status


async def test_files_become_attachments_with_a_url(line: Scene) -> None:
    conversation = await line.start("dl_ann")
    form = aiohttp.FormData()
    announced = MESSAGE | {"attachments": [{"name": "a.txt", "contentType": "text/plain"}]}
    kind = "application/vnd.microsoft.activity"
    form.add_field("activity", json.dumps(announced).encode(), content_type=kind, filename="blob")
    form.add_field("file", b"first", content_type="text/plain", filename="a.txt")
    form.add_field("file", b"<b>second", content_type="text/html", filename="b.html")
    path = f"conversations/{conversation['conversationId']}/upload?userId=dl_eve"
    answer = await line.client("POST", path, data=form, token=conversation["token"])
    assert answer.status == 200
    received = await line.bot.receives("message")
    assert (received["text"], received["from"]["id"]) == ("hello", "dl_ann")
    first, second = received["attachments"]
    assert (first["name"], second["contentType"]) == ("a.txt", "text/html")
    for attachment, content in ((first, "first"), (second, "<b>second")):
        path = attachment["contentUrl"].removeprefix(line.service.base_url)
        served = await line.call("GET", path, token="")
        assert served.body == content
        assert served.headers["Content-Security-Policy"] == "sandbox"


async def test_a_file_alone_is_a_message_of_the_user_in_the_query(line: Scene) -> None:
    conversation = await line.start()
    form = aiohttp.FormData()
    form.add_field("file", b"alone", filename="a.txt")
    path = f"conversations/{conversation['conversationId']}/upload"
    assert (await line.client("POST", f"{path}?userId=dl_bob", data=form)).status == 200
    assert (await line.bot.receives("message"))["from"]["id"] == "dl_bob"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"no form"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ],
)
async def test_a_malformed_upload_is_refused(line: Scene, kind: str, body: bytes) -> None:
    conversation = await line.start()
    path = f"conversations/{conversation['conversationId']}/upload?userId=dl_ann"
    answer = await line.client("POST", path, data=body, headers={"Content-Type": kind})
    assert answer.status == 400


async def test_property_names_are_read_in_any_case_but_not_within_a_clients_own_data(
    line: Scene,
) -> None:
    started = await line.client("POST", "conversations", {"User": {"Id": "ada", "NAME": "Ada"}})
    path = f"conversations/{started.body['conversationId']}/activities"
    said = {"Type": "message", "From": {"ID": "ada"}, "TEXT": "hi", "channelData": {"Text": "own"}}
    assert (await line.client("POST", path, said)).status == 200
    (got,) = (await line.client("GET", path)).body["activities"]
    assert (got["type"], got["from"]["id"], got["text"]) == ("message", "ada", "hi")
    assert got["channelData"] == {"Text": "own"}


async def test_the_locale_of_a_new_conversation_reaches_the_bot(line: Scene) -> None:
    await line.client("POST", "conversations", {"user": {"id": "ada"}, "locale": "de-DE"})
    update = await line.bot.receives("conversationUpdate")
    assert update["locale"] == "de-DE"


async def test_who_becomes_known_by_a_first_message_is_said_to_have_joined(line: Scene) -> None:
    started = await line.client("POST", "conversations")
    path = f"conversations/{started.body['conversationId']}/activities"
    for _ in range(2):
        await line.client("POST", path, {"type": "message", "from": {"id": "eve"}, "text": "hi"})
    joined = [
        [each["id"] for each in activity["membersAdded"]]
        for activity in line.bot.activities
        if activity["type"] == "conversationUpdate"
    ]
    assert joined.count(["eve"]) == 1
