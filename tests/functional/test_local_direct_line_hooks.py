"""What tests can do to the local Direct Line: make it fail, and see what it knows."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.functional.local_direct_line_scene import Scene, scene


@pytest.fixture
async def line() -> AsyncIterator[Scene]:
    async with scene() as it:
        yield it


async def fail(line: Scene, **rule: object) -> None:
    assert (await line.call("POST", "/local/faults", [rule])).status == 200


async def test_a_fault_answers_instead_of_the_service(line: Scene) -> None:
    conversation = await line.start()
    headers = {"Retry-After": 1}
    await fail(line, on="post_activity", status=429, code="Throttled", headers=headers, times=2)
    for _ in range(2):
        answer = await line.say(conversation, "lost")
        assert answer.error == (429, "Throttled")
        assert answer.headers["Retry-After"] == "1"
    assert (await line.say(conversation, "through")).status == 200
    assert await line.texts(conversation) == ["through"]


async def test_a_fault_after_the_work_hides_that_it_was_done(line: Scene) -> None:
    conversation = await line.start()
    await fail(line, on="post_activity", status=502, after=True)
    assert (await line.say(conversation, "done all the same")).status == 502
    assert await line.texts(conversation) == ["done all the same"]


async def test_a_fault_can_be_only_slow(line: Scene) -> None:
    await fail(line, on="start_conversation", delay=0.2)
    before = asyncio.get_running_loop().time()
    await line.start()
    assert asyncio.get_running_loop().time() - before >= 0.2


async def test_the_calls_of_the_bot_can_fail_too(line: Scene) -> None:
    conversation = await line.start()
    await fail(line, on="bot_send", status=412, times=1)
    path = f"/v3/conversations/{conversation['conversationId']}/activities"
    said = {"type": "message", "text": "hello"}
    assert (await line.call("POST", path, said, token="")).status == 412
    assert (await line.call("POST", path, said, token="")).status == 200


async def test_a_stream_can_be_refused(line: Scene) -> None:
    conversation = await line.start()
    await fail(line, on="stream", status=503)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await line.session.ws_connect(conversation["streamUrl"])


async def test_faults_are_listed_with_their_hits_and_cleared(line: Scene) -> None:
    await fail(line, on="start_conversation", status=500)
    assert (await line.client("POST", "conversations")).status == 500
    [listed] = (await line.call("GET", "/local/faults")).body
    assert (listed["on"], listed["hits"]) == ("start_conversation", 1)
    assert (await line.call("DELETE", "/local/faults")).status == 204
    await line.start()


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"on": "post_activity"}, "list"),
        (["post_activity"], "list"),
        ([{}], "on must be one of"),
        ([{"on": "no_such_operation"}], "post_activity"),
        ([{"on": "post_activity", "stauts": 500}], "stauts"),
        ([{"on": "post_activity", "status": "500"}], "status"),
        ([{"on": "post_activity", "hits": 1}], "hits"),
    ],
)
async def test_a_malformed_fault_is_refused_by_name(line: Scene, rules: object, field: str) -> None:
    answer = await line.call("POST", "/local/faults", rules)
    assert answer.error == (400, "BadArgument")
    assert field in answer.body["error"]["message"]
    assert (await line.call("GET", "/local/faults")).body == []


async def test_tokens_can_expire_all_at_once(line: Scene) -> None:
    old = await line.start()
    assert (await line.call("POST", "/local/expire-tokens")).status == 204
    path = f"conversations/{old['conversationId']}"
    assert (await line.client("GET", path, token=old["token"])).error == (403, "TokenExpired")
    new = (await line.client("GET", path)).body
    assert (await line.client("GET", path, token=new["token"])).status == 200


async def test_a_forgotten_conversation_is_unknown_and_its_streams_end(line: Scene) -> None:
    conversation = await line.start()
    async with line.session.ws_connect(conversation["streamUrl"]) as socket:
        forgotten = {"conversationId": conversation["conversationId"]}
        assert (await line.call("POST", "/local/forget", forgotten)).status == 204
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    assert (await line.say(conversation, "anybody?")).error == (404, "ConversationNotFound")


async def test_conversations_are_listed_with_their_activities(line: Scene) -> None:
    conversation = await line.start("dl_ann")
    await line.say(conversation, "hello")
    [listed] = (await line.call("GET", "/local/conversations")).body
    assert listed["id"] == conversation["conversationId"]
    assert listed["user"]["id"] == "dl_ann"
    assert [activity["text"] for activity in listed["activities"]] == ["hello"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "faults"),
        ("GET", "faults"),
        ("DELETE", "faults"),
        ("POST", "expire-tokens"),
        ("POST", "forget"),
        ("POST", "rotate-signing-key"),
        ("GET", "conversations"),
    ],
)
async def test_hooks_need_the_secret(line: Scene, method: str, path: str) -> None:
    conversation = await line.start()
    for token, status in (("", 401), ("wrong", 401), (conversation["token"], 403)):
        assert (await line.call(method, f"/local/{path}", token=token)).status == status
