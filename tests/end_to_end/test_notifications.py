"""A notification that another program asks for shows up in the browsers of those it is for."""

import asyncio
import json
import sys
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.conftest import NewChat, RunningStack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def call(running: RunningStack, method: str, path: str, body: Any = None) -> Any:
    url = f"http://localhost:{running.stack.ports.functions}/api/{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as answer,
    ):
        document = await answer.json()
        assert answer.status < 300, document
        return document


async def done(running: RunningStack, notification: str) -> Any:
    async with asyncio.timeout(20):
        while True:
            report = await call(running, "GET", f"notifications/{notification}")
            if report["state"] == "done":
                return report
            await asyncio.sleep(0.2)


async def test_everyone_is_told_with_a_card_and_one_person_alone(
    new_chat: NewChat, running: RunningStack
) -> None:
    ada, bob = await new_chat(), await new_chat()
    card = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {
            "type": "AdaptiveCard",
            "version": "1.5",
            "body": [{"type": "TextBlock", "text": "Two for one today"}],
        },
    }
    everyone = {"to": {"all": True, "at_most": 100}, "activity": {"attachments": [card]}}
    taken = await call(running, "POST", "notifications", everyone)
    await ada.sees("Two for one today")
    await bob.sees("Two for one today")
    report = await done(running, taken["id"])
    assert report["counts"]["sent"] >= 2
    assert sum(report["counts"].values()) == report["recipients"]
    _, newest = (await call(running, "POST", "notifications/preview", everyone))["first"][:2]
    alone = {"to": {"conversation": newest["conversation"]}, "text": "Your pizza is ready"}
    taken = await call(running, "POST", "notifications", alone)
    assert (await done(running, taken["id"]))["counts"] == {"sent": 1}


async def test_a_command_tells_everyone_and_waits_for_what_becomes_of_it(
    new_chat: NewChat, running: RunningStack
) -> None:
    ada = await new_chat()
    command = ["-m", "bot_logic.notifications", "send", "--to-all", "--at-most", "500"]
    command += ["--url", f"http://localhost:{running.stack.ports.functions}", "--wait", "--json"]
    told = await asyncio.create_subprocess_exec(
        sys.executable, *command, "From a shell", stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await asyncio.wait_for(told.communicate(), 30)
    report = json.loads(printed)
    assert (told.returncode, report["state"]) == (0, "done")
    assert report["counts"] == {"sent": report["recipients"]}
    await ada.sees("From a shell")
