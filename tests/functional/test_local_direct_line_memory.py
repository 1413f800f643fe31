"""What was said outlives the local Direct Line, as what the bot stored outlives Azurite."""

from pathlib import Path
from typing import Any

import aiohttp

from local_dev.direct_line import Settings, running
from tests.functional.local_direct_line_scene import scene

SECRET = "a-direct-line-secret-of-the-tests"
NOWHERE = "http://127.0.0.1:1/api/messages"


async def call(base: str, method: str, path: str, body: Any = None) -> Any:
    url, headers = f"{base}/v3/directline{path}", {"Authorization": f"Bearer {SECRET}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body, headers=headers) as answer,
    ):
        return await answer.json()


def settings(folder: Path) -> Settings:
    return Settings(NOWHERE, SECRET, memory=folder / "kept" / "direct-line.json")


async def test_a_conversation_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as service:
        started = await call(service.base_url, "POST", "/conversations", {"user": {"id": "ada"}})
        activities = f"/conversations/{started['conversationId']}/activities"
        said = {"type": "message", "from": {"id": "ada"}, "text": "hello"}
        await call(service.base_url, "POST", activities, said)
        before = await call(service.base_url, "GET", activities)
    async with running(settings(tmp_path)) as service:
        assert await call(service.base_url, "GET", activities) == before
        assert [each["text"] for each in before["activities"]] == ["hello"]


async def test_a_bot_that_comes_up_after_a_restart_is_told_once_who_has_joined(
    tmp_path: Path,
) -> None:
    async with running(settings(tmp_path)) as service:
        await call(service.base_url, "POST", "/conversations", {"user": {"id": "ada"}})
    async with scene(memory=settings(tmp_path).memory) as line:
        update = await line.bot.receives("conversationUpdate")
        assert [each["id"] for each in update["membersAdded"]] == ["bot", "ada"]
        assert update["serviceUrl"] == line.service.base_url
        path = f"conversations/{update['conversation']['id']}/activities"
        await line.client("POST", path, {"type": "message", "from": {"id": "ada"}})
        assert [each.untold for each in line.service.conversations] == [[]]


async def test_a_file_that_cannot_be_read_is_said_and_a_new_one_begun(
    tmp_path: Path, caplog: Any
) -> None:
    path = settings(tmp_path).memory
    assert path is not None
    path.parent.mkdir()
    path.write_text("{not json")
    async with running(settings(tmp_path)) as service:
        assert list(service.conversations) == []
    assert "direct-line.json not read" in caplog.text
