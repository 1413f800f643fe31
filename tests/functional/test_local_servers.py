"""A hostile page in a developer's browser gets nothing from the servers on their machine."""

import gzip
import json
import zlib
from typing import Any

import aiohttp
import pytest

from local_dev import settings_file
from tests.functional.app_under_test import SECRET, AppUnderTest
from tests.functional.azurite_process import Azurite
from tests.functional.functions_host_process import Host
from tests.functional.messages import activity, reference_of

EVIL = "evil.example"
HOSTS = [EVIL, f"{EVIL}:3000", f"localhost.{EVIL}", f"127.0.0.1.{EVIL}", "localhost@evil", "", "0"]
ORIGINS = [
    f"https://{EVIL}",
    f"http://localhost.{EVIL}",
    "null",
    "file://",
    "http://localhost@evil",
]
PATHS = ["/", "/local/conversations", "/local/faults", "/chat.js", "/v3/directline/conversations"]


async def status(session: aiohttp.ClientSession, method: str, url: str, **headers: str) -> int:
    async with session.request(method, url, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("path", PATHS)
async def test_the_local_direct_line_answers_to_no_other_name(app: AppUnderTest, path: str) -> None:
    base = app.direct_line.base_url
    bearer = f"Bearer {SECRET}"
    for host in HOSTS:
        got = await status(app.session, "GET", base + path, Host=host, Authorization=bearer)
        assert got in (400, 403), host
    for origin in ORIGINS:
        got = await status(app.session, "POST", base + path, Origin=origin, Authorization=bearer)
        assert got == 403, origin


async def test_other_pages_of_this_machine_may_call_it(app: AppUnderTest) -> None:
    url = f"{app.direct_line.base_url}/v3/directline/conversations"
    for origin in ("http://localhost:5173", "http://127.0.0.1:8080", "http://[::1]:3000"):
        headers = {"Origin": origin, "Authorization": f"Bearer {SECRET}"}
        assert await status(app.session, "POST", url, **headers) == 201


@pytest.mark.parametrize("path", ["/api/echo", "/", "/api/nothing"])
def test_the_local_functions_host_answers_to_no_other_name(web: Host, path: str) -> None:
    for host in HOSTS:
        assert web.request("GET", path, Host=host)[0] in (400, 403), host
    for origin in ORIGINS:
        assert web.request("POST", path, b"{}", Origin=origin)[0] == 403, origin


async def test_azurite_answers_to_no_other_name(azurite: Azurite) -> None:
    url = f"http://127.0.0.1:{azurite.queue_port}/devstoreaccount1?comp=list"

    async def is_refused(**headers: str) -> bool:
        async with session.get(url, headers=headers) as answer:
            return "AllowedLocalHosts" in await answer.text()

    async with aiohttp.ClientSession() as session:
        assert not await is_refused()
        assert not await is_refused(Origin="http://localhost:5173")
        for host in (EVIL, f"localhost.{EVIL}"):
            assert await is_refused(Host=host)
        for origin in ORIGINS:
            assert await is_refused(Origin=origin), origin


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_packed_body_is_unpacked_so_far_and_no_further(
    app: AppUnderTest, pack: Any
) -> None:
    ada = await app.user()
    url = f"{app.direct_line.base_url}/v3/directline/conversations/{ada.conversation_id}/activities"
    encoding = "gzip" if pack is gzip.compress else "deflate"
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Encoding": encoding}
    said = json.dumps({"type": "message", "from": {"id": "ada"}, "text": "hello"}).encode()
    for body, expected in ((pack(said), 200), (pack(b" " * 2**28), 413), (b"no such thing", 400)):
        async with app.session.post(url, data=body, headers=headers) as answer:
            assert answer.status == expected


async def test_a_packed_request_to_the_bot_is_told_why_it_is_refused(app: AppUnderTest) -> None:
    body = gzip.compress(json.dumps(activity(await app.user())).encode())
    answer = await app.post(body)
    assert answer.status == 400
    assert "compressed" in answer.body["error"]["message"]


@pytest.mark.parametrize("path", ["", "/", "/api/messages", "/x"])
async def test_the_bot_does_not_talk_to_itself(app: AppUnderTest, path: str) -> None:
    ada = await app.user()
    bot = app.bot_url.removesuffix("/api/messages")
    await app.enqueue({"conversation": reference_of(ada) | {"serviceUrl": bot + path}, "text": "x"})
    answer = await app.post(activity(ada, serviceUrl=bot + path))
    assert answer.status == 200
    assert await app.waiting() <= 2
    for _ in range(3):
        await app.run_worker()
    assert await app.waiting() <= 2


def test_each_checkout_has_secrets_of_its_own(tmp_path: Any) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        assert settings_file.make(folder)
    first, second = (settings_file.read(folder, {}) for folder in folders)
    for name in ("DirectLineSecret", "TriggerSigningKey"):
        assert len(first[name]) >= 32
        assert first[name] != second[name]
    assert not settings_file.make(folders[0])
    assert not settings_file.renew(folders[0])
    assert settings_file.read(folders[0], {}) == first


def test_published_secrets_of_an_older_file_are_replaced_and_nothing_else(tmp_path: Any) -> None:
    old = (
        '{"IsEncrypted": false, "Mine": [1],  "Values": {'
        '"DirectLineSecret": "local-direct-line-secret-only-for-this-machine", "My": "own"}}'
    )
    path = tmp_path / "local.settings.json"
    path.write_text(old)
    assert settings_file.renew(tmp_path)
    before, after = json.loads(old), json.loads(path.read_text())
    secret = after["Values"].pop("DirectLineSecret")
    assert len(secret) >= 32
    assert "only-for-this-machine" not in secret
    del before["Values"]["DirectLineSecret"]
    assert after == before
    assert '"Mine": [1],  "Values"' in path.read_text()
