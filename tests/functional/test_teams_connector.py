"""The stand-in for Teams' connector: what it takes, what it refuses and how, what it counts."""

import asyncio
import json
import logging
import sys
import urllib.request
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from local_dev.ports import free_ports
from local_dev.programs import Program
from local_dev.programs import running as running_program
from local_dev.readiness import listening
from local_dev.teams_connector import Refusal, TeamsConnector, running
from local_dev.teams_connector.limits import Limits
from tests.functional.answer import Answer


class Caller:
    """Calls the stand-in."""

    def __init__(self, session: aiohttp.ClientSession, connector: TeamsConnector) -> None:
        self._session, self.connector = session, connector

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        data = body if isinstance(body, str) else json.dumps(body)
        async with self._session.post(
            self.connector.url + path, data=data, headers=headers
        ) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.json())

    async def changes(self, method: str, path: str, body: Any = None) -> int:
        async with self._session.request(method, self.connector.url + path, json=body) as answer:
            return answer.status

    async def says(self, conversation: str, text: str = "hello") -> Answer:
        return await self.post(f"/v3/conversations/{conversation}/activities", {"text": text})

    async def counts(self) -> Any:
        async with self._session.get(f"{self.connector.url}/local/counts") as answer:
            return await answer.json()


@pytest.fixture
async def teams() -> AsyncIterator[Caller]:
    async with (
        running(TeamsConnector(Limits(overall=20, per_conversation=3))) as connector,
        aiohttp.ClientSession() as session,
    ):
        yield Caller(session, connector)


async def test_what_was_said_is_replaced_and_deleted_once(teams: Caller) -> None:
    said = (await teams.says("a:1")).body["id"]
    path = f"/v3/conversations/a:1/activities/{said}"
    assert await teams.changes("PUT", path, {"text": "bye"}) == 200
    assert [each.text for each in teams.connector.taken] == ["bye"]
    assert await teams.changes("DELETE", path) == 200
    assert await teams.changes("DELETE", path) == 429  # the fourth within a second
    counts = await teams.counts()
    assert (counts["updated"], counts["deleted"]) == (1, 1)


@pytest.mark.parametrize(("conversation", "activity"), [("a:2", "1"), ("a:1", "2"), ("a:1", "x")])
async def test_what_was_not_said_there_is_not_found(
    teams: Caller, conversation: str, activity: str
) -> None:
    await teams.says("a:1")
    path = f"/v3/conversations/{conversation}/activities/{activity}"
    assert await teams.changes("PUT", path, {"text": "bye"}) == 404
    assert await teams.changes("DELETE", path) == 404


async def test_what_is_within_the_limits_is_taken_and_counted(teams: Caller) -> None:
    for conversation in ("a:1", "a:1", "19:meeting@thread.v2"):
        assert (await teams.says(conversation)).status == 201
    counts = await teams.counts()
    assert counts["accepted"] == 3
    assert counts["conversations"] == {"a:1": 2, "19:meeting@thread.v2": 1}
    assert counts["violations"] == {}


async def test_a_request_too_many_is_told_to_wait_and_counted(teams: Caller) -> None:
    answers = [await teams.says("a:1") for _ in range(5)]
    assert [each.status for each in answers] == [201, 201, 201, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"
    counts = await teams.counts()
    assert (counts["accepted"], counts["violations"]) == (3, {"conversation": 2})
    assert counts["busiestSecond"] == 5


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (Refusal.REMOVED, 403, "BotNotInConversationRoster"),
        (Refusal.SWITCHED_OFF, 403, "BotDisabledByAdmin"),
        (Refusal.GONE, 404, "ConversationNotFound"),
    ],
)
async def test_a_chosen_conversation_refuses_in_teams_own_words(
    teams: Caller, refusal: Refusal, status: int, code: str
) -> None:
    await teams.post("/local/refusals", {"a:1": refusal})
    assert (await teams.says("a:1")).error == (status, code)
    assert (await teams.says("a:2")).status == 201
    await teams.post("/local/refusals", {"a:1": None})
    assert (await teams.says("a:1")).status == 201
    assert (await teams.counts())["refused"] == {code: 1}


async def test_who_blocked_the_bot_says_so_in_json_within_json(teams: Caller) -> None:
    await teams.post("/local/refusals", {"a:1": "MessageWritesBlocked"})
    answer = await teams.says("a:1")
    assert (answer.status, answer.body["errorCode"]) == (403, 209)
    assert json.loads(answer.body["message"])["subCode"] == "MessageWritesBlocked"


async def test_the_bot_may_begin_a_conversation_unless_the_person_refuses_it(teams: Caller) -> None:
    body = {"members": [{"id": "29:ada"}]}
    assert (await teams.post("/v3/conversations", body)).status == 201
    await teams.post("/local/refusals", {"29:ada": "BotDisabledByAdmin"})
    assert (await teams.post("/v3/conversations", body)).error == (403, "BotDisabledByAdmin")
    await teams.post("/local/refusals", {"29:ada": "ForbiddenOperationException"})
    answer = await teams.post("/v3/conversations", body)
    assert answer.error == (403, "ForbiddenOperationException")


@pytest.mark.parametrize(
    ("path", "body", "names"),
    [
        ("/v3/conversations", {}, "members"),
        ("/v3/conversations", {"members": [{}]}, "members"),
        ("/v3/conversations/a:1/activities", "[", "JSON"),
        ("/v3/conversations/a:1/activities", "[" * 100_000, "JSON"),
        ("/v3/conversations/a:1/activities", [], "object"),
        ("/local/refusals", {"a:1": "NoSuchWord"}, "a:1"),
        ("/local/refusals", {"a:1": []}, "a:1"),
    ],
)
async def test_bad_input_is_refused_with_what_is_wrong(
    teams: Caller, path: str, body: Any, names: str
) -> None:
    answer = await teams.post(path, body)
    assert answer.error == (400, "BadArgument")
    assert names in answer.body["error"]["message"]
    assert (await teams.counts())["accepted"] == 0


async def test_who_leaves_before_all_is_said_is_no_error_and_is_not_counted(
    teams: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    port = urlsplit(teams.connector.url).port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "POST /v3/conversations/a:1/activities HTTP/1.1\r\nHost: localhost\r\n"
    writer.write(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert (await teams.counts())["accepted"] == 0
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_pages_of_other_sites_may_not_call_it(teams: Caller) -> None:
    answer = await teams.post("/local/refusals", {}, Origin="https://evil.example")
    assert answer.status == 403


def test_it_runs_as_a_program() -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "local_dev.teams_connector", "--port", str(port)]
    with (
        running_program(Program("teams", command, listening(port))),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/local/counts") as answer,
    ):
        assert json.load(answer)["accepted"] == 0
