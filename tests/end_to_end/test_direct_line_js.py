"""DirectLineJS against the local Direct Line: what its own live tests try, and what they do not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import unused_port
from playwright.async_api import Browser, Page
from playwright.async_api import Error as PlaywrightError

from local_dev.direct_line import Settings
from local_dev.direct_line import running as direct_line
from tests.end_to_end.direct_line_client import Client, Status, page_with_direct_line_js
from tests.functional.local_direct_line_scene import MESSAGE, SECRET, Scene, scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True)
class Room:
    """A local Direct Line, a bot that only listens, and a client that is not connected yet."""

    line: Scene
    client: Client
    websocket: bool

    async def enter(self, **options: Any) -> None:
        """Connect the client, with the secret unless it is given a token."""
        credential = {} if "token" in options else {"secret": SECRET}
        await self.client.connect(webSocket=self.websocket, **credential, **options)

    async def conversation(self) -> dict[str, str]:
        return {"conversationId": await self.client.has("conversationId")}

    async def token(self, user: object) -> str:
        answer = await self.line.client("POST", "tokens/generate", user)
        assert answer.status == 200
        return str(answer.body["token"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with page_with_direct_line_js(browser) as it:
        yield it


@pytest_asyncio.fixture(loop_scope="session")
async def room(page: Page, transport: str) -> AsyncIterator[Room]:
    async with scene() as line:
        yield Room(line, Client(page, line.service.base_url), transport == "websocket")


async def added(room: Room) -> list[str]:
    update = await room.line.bot.receives("conversationUpdate")
    return [member["id"] for member in update["membersAdded"]]


async def test_the_bot_is_told_of_a_user_that_the_client_names(room: Room) -> None:
    await room.enter(userId="u_test")
    assert await added(room) == ["bot", "u_test"]


@pytest.mark.parametrize(
    "user", [{"User": {"Id": "dl_ann"}}, {"user": {"id": "dl_ann"}}], ids=["capitals", "small"]
)
async def test_the_bot_is_told_of_a_user_that_the_token_names(room: Room, user: object) -> None:
    await room.enter(token=await room.token(user))
    assert await added(room) == ["bot", "dl_ann"]


@pytest.mark.parametrize(
    ("properties", "locale"),
    [({"locale": "zh-CN"}, "zh-CN"), ({"locale": {"x": "test"}}, None), ({}, None)],
    ids=["a locale", "no text", "none"],
)
async def test_a_conversation_starts_in_a_language(
    room: Room, properties: object, locale: str | None
) -> None:
    await room.enter(conversationStartProperties=properties)
    update = await room.line.bot.receives("conversationUpdate")
    assert update.get("locale") == locale


@pytest.mark.parametrize("by", ["secret", "token"])
async def test_what_is_posted_comes_back_with_its_id_and_reaches_the_bot(
    room: Room, by: str
) -> None:
    user = {"user": {"id": "dl_ann"}}
    await room.enter(**({"token": await room.token(user)} if by == "token" else {}))
    sent = MESSAGE | {"channelData": {"clientActivityId": "c1"}}
    activity_id = await room.client.posts(sent)
    echo = await room.client.sees("hello")
    assert (echo["id"], echo["channelData"]) == (activity_id, {"clientActivityId": "c1"})
    received = await room.line.bot.receives("message")
    assert (received["id"], received["from"]["id"]) == (activity_id, "dl_ann")


async def test_a_user_that_the_client_has_named_can_be_nobody_else(room: Room) -> None:
    await room.enter(userId="u_test")
    await room.client.posts(MESSAGE)
    assert (await room.client.sees("hello"))["from"]["id"] == "u_test"


async def test_what_the_bot_says_is_seen(room: Room) -> None:
    await room.enter()
    await room.line.bot_says(await room.conversation(), "ready")
    assert (await room.client.sees("ready"))["from"]["role"] == "bot"


async def test_files_arrive_as_they_were_sent(room: Room) -> None:
    await room.enter()
    files = [await blob(room, content) for content in ("the first", "the second")]
    await room.client.posts(MESSAGE | {"attachments": files})
    shown = (await room.client.sees("hello"))["attachments"]
    # DirectLineJS sends them in the order in which it has read them.
    assert {each["thumbnailUrl"] for each in shown} == {each["thumbnailUrl"] for each in files}
    assert {await content_of(room, each) for each in shown} == {"the first", "the second"}
    assert (await room.line.bot.receives("message"))["attachments"] == shown


async def blob(room: Room, content: str) -> dict[str, str]:
    make = "(content) => URL.createObjectURL(new Blob([content]))"
    url = await room.client.page.evaluate(make, content)
    thumbnail = f"data:text/plain,{content}"
    return {"contentType": "text/plain", "contentUrl": url, "thumbnailUrl": thumbnail}


async def content_of(room: Room, attachment: dict[str, str]) -> str:
    async with room.line.session.get(attachment["contentUrl"]) as answer:
        return await answer.text()


async def test_who_comes_back_with_a_watermark_sees_what_came_after(room: Room) -> None:
    await room.enter()
    conversation = await room.conversation()
    await room.client.posts(MESSAGE | {"text": "before"})
    await room.client.sees("before")
    await room.client.page.evaluate("client.end()")
    await room.client.becomes(Status.ENDED)
    await room.line.bot_says(conversation, "meanwhile")
    path = f"conversations/{conversation['conversationId']}"
    token = (await room.line.client("GET", path)).body["token"]
    await room.enter(token=token, watermark="1", **conversation)
    await room.client.sees("meanwhile")
    assert await room.client.texts() == ["meanwhile"]


async def test_a_refreshed_token_goes_on_in_the_conversation(room: Room) -> None:
    await room.enter(token=await room.token({"user": {"id": "dl_ann"}}))
    conversation = await room.conversation()
    token = await room.client.page.evaluate("first$(client.refreshToken())")
    await room.enter(token=token, **conversation)
    await room.client.posts(MESSAGE)
    assert (await room.client.sees("hello"))["conversation"]["id"] == conversation["conversationId"]


async def test_an_expired_token_is_noticed_and_a_new_one_goes_on(room: Room) -> None:
    await room.enter(token=await room.token({"user": {"id": "dl_ann"}}))
    await room.line.call("POST", "/local/expire-tokens")
    assert await room.client.posts(MESSAGE) == "retry"
    await room.client.becomes(Status.EXPIRED_TOKEN)
    path = f"conversations/{await room.client.has('conversationId')}"
    fresh = (await room.line.client("GET", path)).body
    await room.client.page.evaluate("(fresh) => client.reconnect(fresh)", fresh)
    await room.client.becomes(Status.ONLINE)
    await room.client.posts(MESSAGE | {"text": "again"})
    await room.client.sees("again")


async def test_a_conversation_that_is_gone_refuses_what_is_posted(room: Room) -> None:
    await room.enter()
    await room.client.posts(MESSAGE)
    await room.line.call("POST", "/local/forget", await room.conversation())
    with pytest.raises(PlaywrightError):
        await room.client.posts(MESSAGE)


async def test_a_bot_that_fails_is_told_by_the_id(room: Room) -> None:
    """The chat page relies on that word, to show the message as not sent."""
    await room.enter()
    room.line.bot.status = 500
    assert await room.client.posts(MESSAGE) == "retry"


async def test_the_end_of_a_conversation_is_seen(room: Room) -> None:
    await room.enter()
    path = f"/v3/conversations/{await room.client.has('conversationId')}/activities"
    said = {"type": "endOfConversation", "code": "completedSuccessfully", "text": "goodbye"}
    await room.line.call("POST", path, said, token="")
    assert (await room.client.sees("goodbye"))["type"] == "endOfConversation"


async def test_a_web_socket_comes_back_after_the_service_restarted(
    page: Page, tmp_path: Path
) -> None:
    async with scene() as line:
        settings = Settings(
            line.service.settings.bot_url, SECRET, port=unused_port(), memory=tmp_path / "memory"
        )
        client = Client(page, f"http://localhost:{settings.port}")
        async with direct_line(settings):
            await client.connect(secret=SECRET, webSocket=True)
            await client.posts(MESSAGE | {"text": "before"})
            await client.sees("before")
        async with direct_line(settings):
            await client.posts(MESSAGE | {"text": "after"})
            await client.sees("after")
    assert await client.texts() == ["before", "after"]
