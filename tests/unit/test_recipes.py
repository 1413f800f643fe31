"""Each recipe of docs/recipes/ does what its page says, in under ten lines of the user's own."""

import ast
import asyncio
import hmac
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.testing import BotUnderTest, ManualClock
from docs.recipes import build_broke, digest, lunch, order_ready
from docs.recipes.long_job import Reporter
from docs.recipes.reminder import Reminder
from docs.recipes.tomorrow import Tomorrow
from local_dev.functions_host.route import route
from local_dev.programs import ROOT

RECIPES = ROOT / "docs/recipes"
FILES = sorted(each for each in RECIPES.iterdir() if each.suffix in {".py", ".sh", ".yml"})
MARKED = re.compile(r"^ *# recipe\n(.*?)^ *# end\n", re.MULTILINE | re.DOTALL)
LIMIT = 10  # lines

yaml: Any = pytest.importorskip("yaml")


def own_lines(text: str) -> int:
    """Count what a user writes: neither comments, nor blank lines, nor docstrings."""
    count = 0
    for block in MARKED.findall(text):
        code = re.sub(r'^ *""".*?"""\n', "", block, flags=re.MULTILINE | re.DOTALL)
        count += sum(bool(re.match(r" *[^ #\n]", line)) for line in code.splitlines(keepends=True))
    return count


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_recipe_takes_under_ten_lines_and_the_page_says_how_many(path: Path) -> None:
    lines = own_lines(path.read_text())
    assert 0 < lines < LIMIT
    row = re.search(
        rf"\[.*\]\({re.escape(path.name)}\) \| (\d+) \|", (RECIPES / "README.md").read_text()
    )
    assert row is not None
    assert int(row[1]) == lines


@pytest.mark.parametrize(
    "path", [each for each in FILES if each.suffix == ".py"], ids=lambda p: p.name
)
def test_a_recipe_says_first_what_it_is_for(path: Path) -> None:
    assert re.match(r"[A-Z][\w ,]+: ", ast.get_docstring(ast.parse(path.read_text())) or "")


def complaints(text: str, name: str) -> str:
    """What `make check` says of the style of a file of this text and name."""
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--stdin-filename", name, "-"]
    checked = subprocess.run(
        command, input=text, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    return checked.stdout + checked.stderr


@pytest.mark.parametrize("recipe", [build_broke, digest, lunch], ids=lambda it: it.__name__)
def test_a_file_in_the_place_of_functions_has_the_style_that_is_checked(recipe: ModuleType) -> None:
    assert complaints(Path(str(recipe.__file__)).read_text(), "bot_logic/functions.py") == ""


COMMANDS = '''"""A bot."""

from bot_logic.bot_endpoint import ProactiveBot
from bot_logic.bot_endpoint.spoken import spoken_text


class Bot(ProactiveBot):
    """Knows many commands, each as the recipes do it."""

    async def on_message_activity(self, turn: object) -> None:
        """Do what is asked for."""
'''
COMMAND = """        if spoken_text(turn.activity) == "say {0}" and self.known > 3:
            await turn.send_activity("{0}")
            return
"""


def test_a_bot_of_many_commands_has_the_style_that_is_checked() -> None:
    bot = COMMANDS + "".join(map(COMMAND.format, range(20)))
    assert complaints(bot, "bot_logic/bot.py") == ""
    assert "PLR0911" in complaints(bot, "bot_logic/another.py")


def functions_of(
    module: ModuleType, bot: BotUnderTest, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[..., Any]]:
    """The functions of a file like functions.py, in an app of their own, with the bot's parts."""
    monkeypatch.setattr(module, "wiring", lambda: bot.wiring)
    app = func.FunctionApp()
    app.register_functions(module.own)
    return {str(each.get_function_name()): each.get_user_function() for each in app.get_functions()}


async def follows(bot: BotUnderTest, topic: str, user: str = "ada") -> None:
    await bot.meets(user)
    conversation = f"conversation-of-{user}"
    params = {"id": conversation, "name": topic}
    asked = func.HttpRequest("PUT", "/", route_params=params, body=b"")
    answer = await bot.wiring.api.conversations.change_topic(asked)
    assert answer.status_code < 300


@asynccontextmanager
async def serving(bot: BotUnderTest) -> AsyncIterator[str]:
    """The bot's API on a port of its own."""
    app = web.Application()
    app.router.add_post("/api/notifications", route(bot.wiring.api.notifications.post))
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_order_ready_tells_one_person_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with BotUnderTest() as bot, serving(bot) as url:
        await bot.meets("ada")
        await bot.meets("bob")
        monkeypatch.setattr(order_ready, "BOT_URL", url)
        ids = {await asyncio.to_thread(order_ready.order_ready, "ada", "7") for _ in range(2)}
        assert len(ids) == 1
        (sent,) = bot.channel.sent[2:]  # after the welcomes
        assert sent.activity.text == "🍕 Order 7 is ready."
        assert sent.conversation_id == "conversation-of-ada"


SECRET = "a-webhook-secret-of-the-tests"
BROKEN = {"workflow_run": {"conclusion": "failure", "html_url": "https://example.org/run/1"}}


def hook(body: bytes, secret: str = SECRET, **headers: str) -> func.HttpRequest:
    """A request as GitHub signs it."""
    signature = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    names = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "1"}
    names |= {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest("POST", "/api/hooks/build", headers=names, body=body)


async def test_a_webhook_tells_who_follows_the_topic_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    async with BotUnderTest() as bot:
        function = functions_of(build_broke, bot, monkeypatch)["build_broke"]
        await follows(bot, "builds")
        await bot.meets("bob")
        for _ in range(2):
            answer = await function(hook(json.dumps(BROKEN).encode()))
            assert answer.status_code == HTTPStatus.ACCEPTED
        assert await bot.runs_queue() == ["The build broke: https://example.org/run/1"]


@pytest.mark.parametrize(
    "event",
    [{"zen": "a ping"}, {"workflow_run": {"conclusion": "success"}}, {"workflow_run": None}, []],
)
async def test_a_webhook_of_another_event_tells_nobody(
    event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    async with BotUnderTest() as bot:
        function = functions_of(build_broke, bot, monkeypatch)["build_broke"]
        await follows(bot, "builds")
        answer = await function(hook(json.dumps(event).encode()))
        assert answer.status_code == HTTPStatus.ACCEPTED
        assert await bot.runs_queue() == []


@pytest.mark.parametrize(
    ("known", "used", "headers"),
    [
        (SECRET, "another", {}),
        (SECRET, SECRET, {"X_Hub_Signature_256": ""}),
        (SECRET, SECRET, {"X_Hub_Signature_256": "sha256=ü\udcff"}),
        ("", "", {}),
        (None, "", {}),
    ],
    ids=["another secret", "no signature", "no ASCII", "an empty secret", "no secret"],
)
async def test_a_webhook_that_is_not_signed_is_refused(
    known: str | None,
    used: str,
    headers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if known is None:
        monkeypatch.delenv("WEBHOOK_SECRET", raising=False)
    else:
        monkeypatch.setenv("WEBHOOK_SECRET", known)
    async with BotUnderTest() as bot:
        function = functions_of(build_broke, bot, monkeypatch)["build_broke"]
        await follows(bot, "builds")
        answer = await function(hook(json.dumps(BROKEN).encode(), used, **headers))
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "not signed" in answer.get_body().decode()
        assert "WEBHOOK_SECRET" not in answer.get_body().decode()
        why = "another secret or none was used" if known else "WEBHOOK_SECRET is not set"
        assert why in caplog.text
        assert await bot.runs_queue() == []


@pytest.mark.parametrize("body", [b"payload=%7B%7D", b"", b"\xff", b"[" * 100_000])
async def test_a_signed_webhook_that_is_not_json_is_refused(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    async with BotUnderTest() as bot:
        function = functions_of(build_broke, bot, monkeypatch)["build_broke"]
        answer = await function(hook(body))
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert "application/json" in answer.get_body().decode()


async def test_a_reminder_comes_when_it_was_asked_for() -> None:
    async with BotUnderTest(Reminder) as bot:
        assert await bot.hears("Remind me in 10 minutes to stand up") == ["I will."]
        bot.clock.advance(599)
        assert await bot.runs_queue() == []
        bot.clock.advance(2)
        assert await bot.runs_queue() == ["Time to stand up"]


async def test_beside_reminders_the_bot_does_what_it_did() -> None:
    async with BotUnderTest(Reminder) as bot, BotUnderTest() as plain:
        for each in (bot, plain):
            await each.hears("hello")
        assert await bot.runs_queue() == await plain.runs_queue()


@pytest.mark.parametrize("text", ["remind me", "remind me in 99999 minutes to x", "hello"])
async def test_what_is_no_reminder_is_answered_as_before(text: str) -> None:
    async with BotUnderTest(Reminder) as bot, BotUnderTest() as plain:
        assert await bot.hears(text) == await plain.hears(text)


NOON = datetime(2030, 10, 26, 12, tzinfo=UTC)  # in Berlin summer time ends the night after
SAID = "remind me tomorrow at 9:30 to call Ada"


@pytest.mark.parametrize(
    ("zone", "answer", "hours"),
    [
        ("Europe/Berlin", "I will, on Sunday at 09:30 (Europe/Berlin).", 20.5),
        ("America/New_York", "I will, on Sunday at 09:30 (America/New_York).", 25.5),
        ("Pacific/Auckland", "I will, on Monday at 09:30 (Pacific/Auckland).", 32.5),
        (None, "I will, on Sunday at 09:30 (UTC).", 21.5),
        ("Mars/Olympus", "I will, on Sunday at 09:30 (UTC).", 21.5),
        ("../../etc/passwd", "I will, on Sunday at 09:30 (UTC).", 21.5),
        ("", "I will, on Sunday at 09:30 (UTC).", 21.5),
        (5, "I will, on Sunday at 09:30 (UTC).", 21.5),
    ],
)
async def test_tomorrow_is_where_the_user_is(zone: Any, answer: str, hours: float) -> None:
    async with BotUnderTest(Tomorrow, clock=ManualClock(NOON.timestamp())) as bot:
        message = {"type": "message", "text": SAID, "localTimezone": zone}
        assert await bot.receives(message) == [answer]
        bot.clock.advance(timedelta(hours=hours).total_seconds() - 1)
        assert await bot.runs_queue() == []
        bot.clock.advance(1)
        (said,) = await bot.runs_queue()
        assert said.endswith("call Ada")


@pytest.mark.parametrize("asked", ["at 9 to x", "at 09 to x", "at 0:00 to x", "at 23:59 to x"])
async def test_tomorrow_is_understood(asked: str) -> None:
    async with BotUnderTest(Tomorrow) as bot:
        (answer,) = await bot.hears(f"Remind me tomorrow {asked}")
        assert answer.startswith("I will")


@pytest.mark.parametrize("asked", ["at 24 to x", "at 9:60 to x", "at ٩ to x", "at 9", "to x"])
async def test_no_time_of_tomorrow_is_answered_as_before(asked: str) -> None:
    async with BotUnderTest(Tomorrow) as bot, BotUnderTest() as plain:
        text = f"remind me tomorrow {asked}"
        assert await bot.hears(text) == await plain.hears(text)


async def test_a_long_job_is_answered_at_once_and_its_result_comes_later() -> None:
    async with BotUnderTest(Reporter) as bot:
        assert await bot.hears("report") == ["I am on it."]
        assert await bot.runs_queue() == ["Part 1 of 3 is done."]
        assert await bot.runs_queue() == ["Part 2 of 3 is done."]
        assert await bot.runs_queue() == ["Your report: 42 pizzas."]
        assert await bot.runs_queue() == []


async def test_beside_a_long_job_the_bot_does_what_it_did() -> None:
    async with BotUnderTest(Reporter) as bot, BotUnderTest() as plain:
        assert await bot.hears("hello") == await plain.hears("hello")
        assert await bot.runs_queue() == await plain.runs_queue()


async def test_a_digest_comes_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    async with BotUnderTest() as bot:
        function = functions_of(digest, bot, monkeypatch)["digest"]
        await follows(bot, "operators")
        for hours in (0, 1, 22):  # from eight o'clock on
            bot.clock.advance(hours * 3600)
            await function(None)
        said = await bot.runs_queue()
        assert said == ["Not delivered so far: 0. make dead-letters lists them."] * 2


async def test_a_broadcast_asks_everyone_by_a_card_that_a_press_replaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with BotUnderTest(lunch.Lunch) as bot:
        function = functions_of(lunch, bot, monkeypatch)["ask"]
        await bot.meets("ada")
        await bot.meets("bob")
        await function(None)
        await bot.runs_queue()
        asked = bot.channel.sent[2:]  # after the welcomes
        told = {sent.conversation_id for sent in asked}
        assert told == {"conversation-of-ada", "conversation-of-bob"}
        (action,) = asked[0].activity.attachments[0].content["actions"]
        await bot.receives({"type": "message", "value": action["data"]})  # as Web Chat does
        assert "One pizza" in str(bot.channel.sent[-1].activity.attachments[0].content)


async def run(*command: str, **environment: str) -> None:
    """Run a program to its end, which is a good one."""
    tools = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        env=tools | environment,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


NEWCOMER = "6a2bd7ec-0a35-4f2c-9d38-0f3e6b6d6f11"
TENANT = "3f3d1cea-7a18-41af-872b-cfbbd5140984"


async def test_first_contact_welcomes_once_who_never_wrote() -> None:
    async with BotUnderTest() as bot, serving(bot) as url:
        for _ in range(2):
            script = str(RECIPES / "first_contact.sh")
            await run("sh", script, NEWCOMER, TENANT, BOT_URL=url, BOT_KEY="a-key")
        await bot.runs_queue()
        (sent,) = bot.channel.sent
        assert sent.activity.text.startswith("Welcome!")
        assert sent.conversation_id == f"new-with-{NEWCOMER}"


WORKFLOW = yaml.safe_load((RECIPES / "notify.yml").read_text())


async def test_a_github_actions_step_posts_what_the_api_takes() -> None:
    (step,) = (each for each in WORKFLOW["jobs"]["deploy"]["steps"] if "name" in each)
    assert set(step["env"]) == {"BOT_URL", "BOT_KEY"}
    async with BotUnderTest() as bot, serving(bot) as url:
        await follows(bot, "deployments")
        runner = {
            "GITHUB_REPOSITORY": 'ada/"pizza"',
            "GITHUB_WORKFLOW": "deploy $(id)",
            "GITHUB_REF_NAME": "main",
            "GITHUB_RUN_ID": "42",
        }
        for _ in range(2):  # as Actions runs a step
            shell = ("bash", "-e", "-o", "pipefail", "-c", step["run"])
            await run(*shell, BOT_URL=url, BOT_KEY="a-key", **runner)
        (sent,) = bot.channel.sent[1:]  # after the welcome
        assert sent.activity.text == 'ada/"pizza": deploy $(id) ran on main'
