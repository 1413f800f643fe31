"""A hostile page in a developer's browser gets nothing from the servers on their machine."""

import asyncio
import datetime as dt
import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from azure.storage.queue import (
    AccountSasPermissions,
    ResourceTypes,
    Services,
    generate_account_sas,
)

from local_dev import azurite as storage_emulator
from local_dev import settings_file
from local_dev.callers import Callers
from local_dev.ports import free_ports
from local_dev.programs import running
from tests.functional.app_under_test import SECRET, AppUnderTest
from tests.functional.azurite_process import Azurite
from tests.functional.functions_host_process import Host
from tests.functional.local_direct_line_scene import scene

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


@pytest.mark.parametrize("origin", ORIGINS)
async def test_no_other_site_opens_a_stream(app: AppUnderTest, origin: str) -> None:
    url = f"{app.direct_line.base_url}/v3/directline/conversations"
    async with app.session.post(url, headers={"Authorization": f"Bearer {SECRET}"}) as answer:
        stream = (await answer.json())["streamUrl"]
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await app.session.ws_connect(stream, origin=origin)
    async with app.session.ws_connect(stream, origin="http://localhost:5173") as socket:
        assert not socket.closed


HEADS = [
    "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
    "GET / HTTP/1.1\r\nHost: evil.example\r\nHost: localhost",
    "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example",
    "GET / HTTP/1.1\r\nX: y",
    "GET / HTTP/1.0",
]


@pytest.mark.parametrize("head", HEADS, ids=ascii)
async def test_a_name_that_is_doubled_or_missing_is_refused(
    app: AppUnderTest, web: Host, head: str
) -> None:
    for port in (int(app.direct_line.base_url.rpartition(":")[2]), web.port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] in (b"400", b"403")
        writer.close()


async def test_a_refusal_says_what_to_do(app: AppUnderTest, web: Host) -> None:
    for base in (app.direct_line.base_url, f"http://localhost:{web.port}"):
        for headers in ({"Host": EVIL}, {"Origin": f"http://{EVIL}"}):
            async with app.session.post(base, headers=headers) as answer:
                error = (await answer.json())["error"]
                assert (answer.status, error["code"]) == (403, "Forbidden")
                assert "AllowedLocalHosts" in error["message"]
                assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_name_that_the_settings_allow_reaches_the_local_functions_host(host: Host) -> None:
    host.values["AllowedLocalHosts"] = "bot.example"
    host.start()
    origin = "https://bot.example"
    assert host.request("GET", "/api/echo", Host="bot.example", Origin=origin)[0] == 202
    assert host.request("GET", "/api/echo", Host="other.example")[0] == 403


async def test_a_name_that_the_settings_allow_reaches_the_local_direct_line() -> None:
    async with scene(callers=Callers.from_setting("bot.example")) as line:
        own = {"Host": "bot.example", "Origin": "https://bot.example"}
        answer = await line.client("POST", "conversations", headers=own)
        assert answer.status == 201
        assert answer.headers["Access-Control-Allow-Origin"] == "https://bot.example"
        answer = await line.client("POST", "conversations", headers={"Host": "other.example"})
        assert answer.status == 403


async def test_a_name_that_the_settings_allow_reaches_azurite() -> None:
    ports = free_ports(3)
    program = storage_emulator.program(None, ports)
    with running(replace(program, environment={"AllowedLocalHosts": "bot.example"})):
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{ports[1]}/devstoreaccount1"
            for host, refused in (("bot.example", False), ("other.example", True)):
                async with session.get(url, headers={"Host": host}) as answer:
                    assert ("AllowedLocalHosts" in await answer.text()) is refused


def signature() -> str:
    """Allow all to whoever has it; made from Azurite's public key, as any site can."""
    return generate_account_sas(
        storage_emulator.ACCOUNT,
        storage_emulator.KEY,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(create=True, add=True, read=True, write=True),
        dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
        services=Services(queue=True),
    )


# A dev tunnel puts "localhost" into Host and Origin, and the name that was called here.
TUNNELS = ["bot.example", "localhost, bot.example", "bot.example:443", "localhost@bot.example", ""]


@pytest.mark.parametrize("called", TUNNELS)
async def test_what_comes_through_a_tunnel_counts_by_the_name_that_was_called(
    app: AppUnderTest, web: Host, azurite: Azurite, called: str
) -> None:
    ports = (web.port, int(app.direct_line.base_url.rpartition(":")[2]), azurite.queue_port)
    for port in ports:
        url, headers = f"http://localhost:{port}/", {"X-Forwarded-Host": called}
        async with app.session.get(url, headers=headers) as answer:
            assert answer.status == 403, port
            assert "AllowedLocalHosts" in await answer.text(), port


def test_a_tunnel_that_the_settings_allow_reaches_the_local_functions_host(host: Host) -> None:
    host.values["AllowedLocalHosts"] = "bot.example"
    host.start()
    for called, expected in {
        "bot.example": 202,
        "bot.example:443": 202,
        "other.example": 403,
    }.items():
        assert host.request("GET", "/api/echo", X_Forwarded_Host=called)[0] == expected


async def test_no_other_site_puts_a_message_on_a_queue_or_reads_one(azurite: Azurite) -> None:
    base, message = f"http://127.0.0.1:{azurite.queue_port}", "<QueueMessage><MessageText>x"
    message += "</MessageText></QueueMessage>"
    queue = "/devstoreaccount1/of-a-hostile-page"
    rebound = f"devstoreaccount1.{EVIL}:{azurite.queue_port}"  # then it stands in no path
    async with aiohttp.ClientSession() as session:

        async def post(path: str, **headers: str) -> int:
            url = f"{base}{path}/messages?{signature()}"
            async with session.post(url, data=message, headers=headers) as answer:
                return answer.status

        async with session.put(f"{base}{queue}?{signature()}") as answer:
            assert answer.status == 201
        assert await post(queue) == 201
        assert await post(queue, Origin="http://localhost:5173") == 201
        assert await post(queue, Origin=f"https://{EVIL}") == 403
        assert await post(queue, Origin="null") == 403
        assert await post("/of-a-hostile-page", Host=rebound) == 403
        for origin in (f"http://{rebound}", "http://localhost:5173"):
            assert await post("/of-a-hostile-page", Host=rebound, Origin=origin) == 403


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
