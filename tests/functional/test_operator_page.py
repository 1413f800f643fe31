"""The operator page's server: it passes on what the API has, with the key, for its page only."""

import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from bot_logic.admin.api_client import App
from bot_logic.secret import Secret
from local_dev.operator_page.app import PREFIX, Operated, make_app
from local_dev.ports import free_ports
from local_dev.programs import Program, running

KEY = "the-function-key"
TOKEN = {"X-Operator-Token": "the-token"}


@dataclass
class Scene:
    """The page's server, and an app that remembers what reaches it."""

    app: URL
    base: str
    session: ClientSession
    reached: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)

    async def call(self, path: str, method: str = "GET", **options: Any) -> tuple[int, str]:
        async with self.session.request(method, f"{self.base}{path}", **options) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async def app(request: web.Request) -> web.Response:
        it.reached.append(
            (request.method, request.raw_path, await request.text(), dict(request.headers))
        )
        if request.path.endswith("/html"):
            return web.Response(text="<script>1</script>", content_type="text/html")
        return web.json_response({"notifications": []})

    behind, serving = web.Application(), web.Application()
    behind.router.add_route("*", "/{path:.*}", app)
    async with TestServer(behind) as listening, ClientSession() as session:
        operated = Operated(App.at(str(listening.make_url("/")), KEY), Secret("the-token"))
        serving.add_subapp(PREFIX, make_app(operated))
        async with TestServer(serving) as page:
            it = Scene(listening.make_url("/"), str(page.make_url(PREFIX)), session)
            yield it


async def test_a_call_is_passed_on_with_the_key_and_answered(scene: Scene) -> None:
    sent: dict[str, Any] = {
        "method": "POST",
        "data": '{"text": "x"}',
        "headers": TOKEN | {"Idempotency-Key": "k"},
    }
    assert await scene.call("/api/conversations/a%2Fb/topics?x=1", **sent) == (
        200,
        '{"notifications": []}',
    )
    ((method, path, body, headers),) = scene.reached
    assert (method, path, body) == ("POST", "/api/conversations/a%2Fb/topics?x=1", '{"text": "x"}')
    assert (headers["x-functions-key"], headers["Idempotency-Key"]) == (KEY, "k")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Operator-Token": "another"},
        TOKEN | {"Origin": "https://evil.example"},
        TOKEN | {"Origin": "http://localhost:3978"},
        TOKEN | {"Host": "evil.example"},
        TOKEN | {"Host": "localhost", "X-Forwarded-Host": "abc.tunnel.example"},
    ],
    ids=["no token", "another's", "another site", "another local page", "rebound name", "tunnel"],
)
async def test_only_the_page_itself_may_call(scene: Scene, headers: dict[str, str]) -> None:
    assert (await scene.call("/api/notifications", headers=headers))[0] == 403
    assert scene.reached == []


@pytest.mark.parametrize(
    "path", ["messages", "health", "notifications/../messages", "notifications/%2e%2e/messages", ""]
)
async def test_nothing_but_the_operators_calls_is_passed_on(scene: Scene, path: str) -> None:
    assert (await scene.call(f"/api/{path}", headers=TOKEN))[0] == 404
    assert scene.reached == []


async def test_an_answer_that_is_none_of_the_apis_does_not_reach_the_browser(scene: Scene) -> None:
    status, text = await scene.call("/api/notifications/html", headers=TOKEN)
    assert status == 502
    assert "<script>" not in text


async def test_the_page_may_run_no_script_but_its_own_and_its_files_are_all_it_serves(
    scene: Scene,
) -> None:
    async with scene.session.get(scene.base) as answer:
        assert answer.status == 200
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert KEY not in await answer.text()
    assert (await scene.call("/main.js"))[0] == 200
    for path in ("/app.py", "/..%2Fapp.py", "/%2e%2e%2fapp.js"):
        assert (await scene.call(path))[0] == 404
    assert (await scene.call("/about"))[1].count(KEY) == 0


async def test_the_program_says_an_address_that_opens_it_and_not_the_key(scene: Scene) -> None:
    (port,) = free_ports(1)
    app = str(scene.app)
    command = [sys.executable, "-m", "local_dev.operator_page", "--url", app, "--port", str(port)]

    def serves(printed: str) -> None:
        if "Ctrl-C" not in printed:
            raise ConnectionError("not yet")

    program = Program("operator", command, serves, {"NOTIFICATIONS_KEY": KEY})
    with running(program) as page:
        printed = page.printed
        assert KEY not in printed
        address, token = re.findall(r"(http://127\.0\.0\.1:\d+/operator)#token=(\S+)", printed)[0]
        headers = {"X-Operator-Token": token}
        for sent, status in ((headers, 200), ({}, 403)):
            async with scene.session.get(f"{address}/api/notifications", headers=sent) as answer:
                assert answer.status == status
    assert scene.reached[-1][3]["x-functions-key"] == KEY
