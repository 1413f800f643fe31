"""The operator's commands, against a server that plays the app."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.admin.api_client import App, Patience, WrongApp
from bot_logic.admin.notifications.program import main

NO_PATIENCE = Patience((0.0, 0.0), 0.0)
ID = "0f8fad5bd9cb469fa16570867728950e"
REPORT = {
    "id": ID,
    "state": "done",
    "to": {"user": "u1"},
    "counts": {"sent": 1},
    "recipients": 1,
    "planned": True,
    "created": "2030-01-31T08:00:00Z",
    "at": "2030-01-31T08:00:00Z",
    "expires": "2030-02-01T08:00:00Z",
}


@dataclass
class PlayedApp:
    """Answers as it was told, the last answer for ever; remembers what it was asked."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        text = await request.text()
        body = json.loads(text) if text else None
        self.asked.append((request.method, request.path_qs, body, dict(request.headers)))
        status, document = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.json_response(document, status=status)

    async def told(self, *arguments: str) -> int:
        """Run a command on it."""
        command = [arguments[0], "--url", self.url, *arguments[1:]]
        return await asyncio.to_thread(main, command, NO_PATIENCE)


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PlayedApp]:
    monkeypatch.delenv("NOTIFICATIONS_KEY", raising=False)
    played, server = PlayedApp(), web.Application()
    server.router.add_route("*", "/{path:.*}", played.answer)
    async with TestServer(server) as listening:
        played.url = str(listening.make_url("/"))
        yield played


async def test_a_person_is_told(app: PlayedApp, capsys: pytest.CaptureFixture[str]) -> None:
    app.answers = [(202, {"id": ID})]
    assert await app.told("send", "--to-user", "u1", "--at", "60", "hello") == 0
    ((method, path, body, headers),) = app.asked
    assert (method, path) == ("POST", "/api/notifications")
    assert body == {"to": {"user": "u1"}, "text": "hello", "at": 60.0}
    assert len(headers["Idempotency-Key"]) == 32
    assert capsys.readouterr().out == f"{ID}\n"


async def test_what_is_tried_again_has_the_same_key(app: PlayedApp) -> None:
    app.answers = [(503, {}), (504, None), (202, {"id": ID})]
    assert await app.told("send", "--to-user", "u1", "hello") == 0
    assert len(app.asked) == 3
    assert len({headers["Idempotency-Key"] for *_, headers in app.asked}) == 1


async def test_trying_again_has_an_end_and_says_the_key(
    app: PlayedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    app.answers = [(503, {"error": {"code": "ServiceUnavailable", "message": "table: slow"}})]
    assert await app.told("send", "--to-user", "u1", "--key", "k1", "hello") == 1
    assert len(app.asked) == 3
    said = capsys.readouterr().err
    assert "--key k1" in said
    assert "503 ServiceUnavailable: table: slow" in said


async def test_a_refusal_is_not_tried_again_and_names_the_field(
    app: PlayedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"code": "TooManyRecipients", "message": "more would get it", "field": "to.at_most"}
    app.answers = [(409, {"error": error})]
    assert await app.told("send", "--to-all", "--at-most", "1", "hello") == 1
    assert len(app.asked) == 1
    assert "409 TooManyRecipients: to.at_most more would get it" in capsys.readouterr().err


async def test_a_key_travels_in_a_header_and_a_missing_one_is_asked_for(
    app: PlayedApp,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app.answers = [(401, None)]
    assert await app.told("show", ID) == 1
    assert "NOTIFICATIONS_KEY" in capsys.readouterr().err
    app.answers = [(200, REPORT)]
    monkeypatch.setenv("NOTIFICATIONS_KEY", "from-the-environment")
    assert await app.told("show", ID) == 0
    (tmp_path / "key").write_text("from-a-file\n")
    assert await app.told("show", "--key-file", str(tmp_path / "key"), ID) == 0
    sent = [headers.get("x-functions-key") for *_, headers in app.asked]
    assert sent == [None, "from-the-environment", "from-a-file"]


async def test_waiting_shows_how_far_it_is_and_fails_if_somebody_is_left_out(
    app: PlayedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = REPORT | {"state": "sending", "recipients": 2, "counts": {"open": 1, "sent": 1}}
    ended = REPORT | {"recipients": 2, "counts": {"blocked": 1, "sent": 1}}
    app.answers = [(202, {"id": ID}), (200, begun), (200, ended)]
    assert await app.told("send", "--to-topic", "t", "--wait", "hello") == 1
    shown = capsys.readouterr()
    first, last = shown.err.splitlines()
    assert first == f"[{'#' * 15}{'-' * 15}] sending: 2 recipients (open 1, sent 1)"
    assert last == f"[{'#' * 30}] done: 2 recipients (blocked 1, sent 1)"
    assert ID in shown.out
    stopped = REPORT | {"recipients": 2, "counts": {"optedOut": 1, "sent": 1}}
    app.answers = [(202, {"id": ID}), (200, stopped)]
    assert await app.told("send", "--to-topic", "t", "--wait", "hello") == 0
    assert "done: 2 recipients (optedOut 1, sent 1)" in capsys.readouterr().err


async def test_a_preview_says_who_would_get_it_and_how_many_are_left_out(
    app: PlayedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    first = [{"user": "u1"}, {"conversation": "c2"}]
    everyone = ("preview", "--to-all", "--at-most", "5000", "hello")
    app.answers = [(200, {"recipients": 1203, "optedOut": 2, "blocked": 1, "first": first})]
    assert await app.told(*everyone) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1,200 would get it: u1, c2 …",
        "left out: 2 said stop, 1 lately blocked the bot",
    ]
    app.answers = [(200, {"recipients": 2, "optedOut": 0, "blocked": 0, "first": first})]
    assert await app.told(*everyone) == 0
    assert capsys.readouterr().out == "2 would get it: u1, c2\n"


async def test_a_preview_fails_if_more_would_get_it_than_at_most(
    app: PlayedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    # Who is left out counts towards at_most, too.
    app.answers = [(200, {"recipients": 1303, "optedOut": 1300, "blocked": 0, "first": []})]
    to_some = ("preview", "--to-topic", "kitchen", "hello")
    assert await app.told(*to_some, "--at-most", "1302") == 1
    said = capsys.readouterr().out
    assert said == "nobody would get it: 1,303 are more than --at-most 1,302\n"
    assert await app.told(*to_some, "--at-most", "1303") == 0
    assert await app.told(*to_some) == 0


async def test_recipients_are_listed_to_their_end_and_move_no_cursor(
    app: PlayedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = {"recipient": "k1", "user": "\x1b[2Jeve", "state": "gone", "reason": "404\nsent u2"}
    app.answers = [
        (200, {"recipients": [evil], "after": "p1"}),
        (200, {"recipients": [{"recipient": "k2", "state": "sent", "channel": "msteams"}]}),
    ]
    assert await app.told("recipients", ID, "--state", "failed") == 0
    assert [path.partition("?")[2] for _, path, *_ in app.asked] == [
        "state=failed",
        "state=failed&after=p1",
    ]
    assert capsys.readouterr().out.splitlines() == [
        "gone  -  \\x1b[2Jeve  404\\nsent u2",
        "sent  msteams  k2",
    ]


async def test_for_scripts_each_line_is_json(
    app: PlayedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    app.answers = [(200, {"notifications": [REPORT, REPORT]})]
    assert await app.told("list", "--json") == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [REPORT, REPORT]


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (["cancel", ID], "DELETE", "", None),
        (["retry", ID], "POST", "/retry", None),
        (["recall", ID], "POST", "/recall", None),
        (["edit", ID, "better"], "PATCH", "", {"text": "better"}),
        (["edit", ID, "--json", "better"], "PATCH", "", {"text": "better"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
async def test_what_went_out_is_changed(
    app: PlayedApp, arguments: list[str], method: str, path: str, body: Any
) -> None:
    app.answers = [(202, REPORT)]
    assert await app.told(*arguments) == 0
    assert app.asked[0][:3] == (method, f"/api/notifications/{ID}{path}", body)


async def test_an_id_leads_nowhere_else(app: PlayedApp) -> None:
    app.answers = [(404, None)]
    assert await app.told("cancel", "../conversations/c1") == 1
    assert app.asked[0][1] == "/api/notifications/..%2Fconversations%2Fc1"


async def test_a_card_and_a_list_come_from_files(app: PlayedApp, tmp_path: Path) -> None:
    card, people = tmp_path / "card.json", tmp_path / "people.txt"
    card.write_text('{"type": "AdaptiveCard"}')
    people.write_text("u1\n\n u2 \n")
    app.answers = [(202, {"id": ID})]
    assert await app.told("send", "--to-file", str(people), "--card", str(card)) == 0
    body = app.asked[0][2]
    assert body["to"] == [{"user": "u1"}, {"user": "u2"}]
    (attachment,) = body["activity"]["attachments"]
    assert attachment["content"] == {"type": "AdaptiveCard"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "--to-all", "hello"],
        ["send", "--to-user", "u1"],
        ["send", "--to-user", "u1", "--at-most", "5", "hello"],
        ["send", "--to-user", "u1", "--activity", "nowhere.json", "hello"],
        ["send", "--to-user", "u1", "--card", "nowhere.json"],
        ["show", ID, "--url", "http://example.com"],
        ["show", ID, "--url", "https://example.com/api"],
        ["show", ID, "--key-file", "nowhere"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_ends_with_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


@pytest.mark.parametrize("option", ["--to-file", "--card", "--activity", "--key-file"])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere", "No such file or directory"),
        (".", "Is a directory"),
        ("latin-1", "it is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    option: str, name: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin-1").write_bytes("Käse".encode("latin-1"))
    to = [] if option == "--to-file" else ["--to-user", "u1"]
    text = [] if option == "--activity" else ["hello"]
    assert main(["send", *to, option, str(tmp_path / name), *text]) == 2
    assert capsys.readouterr().err == f"cannot read {tmp_path / name}: {why}\n"


async def test_which_app_is_meant_may_be_said_before_the_command(
    app: PlayedApp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFICATIONS_URL", "http://localhost:1")  # where nobody is
    app.answers = [(200, REPORT)]
    before = ["--url", app.url, "--json", "show", ID]
    assert await asyncio.to_thread(main, before, NO_PATIENCE) == 0
    assert json.loads(capsys.readouterr().out) == REPORT
    behind = ["--url", "http://localhost:2", "show", ID, "--url", app.url]
    assert await asyncio.to_thread(main, behind, NO_PATIENCE) == 0
    assert "who        1 recipient (sent 1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "--to-user", "u1", "--to-all", "hello"],
        ["send", "--to-user", "u1", "hello", "twice"],
        ["cancel", ID, "hello"],
        ["cancel", ID, "--soon"],
    ],
    ids=" ".join,
)
def test_what_argparse_refuses_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert ending.value.code == 2


@pytest.mark.parametrize("key", ["a\nb", "schlüssel"])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(WrongApp) as error:
        App.at("https://app.example", key)
    assert key not in str(error.value)
    assert "secret" not in repr(App.at("https://app.example", "secret"))


def test_the_commands_explain_themselves() -> None:
    command = [sys.executable, "-m", "bot_logic.notifications", "--help"]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "recall" in ended.stdout
