"""What a person said is repeated as they said it: without markup around names, in its format."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.bot_endpoint.sdk.activity_json import to_activity
from bot_logic.bot_endpoint.spoken import spoken_text
from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.testing import BotUnderTest

BOT, ADA = {"id": "28:bot", "name": "Bot"}, {"id": "29:ada", "name": "Ada"}


def mention(account: Any, text: Any, **more: Any) -> dict[str, Any]:
    return {"type": "mention", "mentioned": account, "text": text} | more


def spoken(text: Any, *entities: Any) -> str:
    document = {"type": "message", "recipient": BOT, "text": text, "entities": list(entities)}
    return spoken_text(to_activity(document))


TO_BOT, TO_ADA = mention(BOT, "<at>Bot</at>"), mention(ADA, "<at>Ada</at>")


@pytest.mark.parametrize(
    ("text", "entities", "said"),
    [
        ("<at>Bot</at> order pizza", [TO_BOT], "order pizza"),
        ("<at>Bot</at>\xa0order pizza", [TO_BOT], "order pizza"),
        ("please <at>Bot</at> order", [TO_BOT], "please order"),
        ("order pizza <at>Bot</at>", [TO_BOT], "order pizza"),
        ("<at>Bot</at>", [TO_BOT], ""),
        ("<at>Bot</at> <at>Bot</at> hi", [TO_BOT, TO_BOT], "hi"),
        ("line\n<at>Bot</at> line", [TO_BOT], "line\nline"),
        ('<at id="0">Bot</at> hi', [mention(BOT, '<at id="0">Bot</at>')], "hi"),
        ("<AT>Bot</AT> hi", [mention(BOT, "<AT>Bot</AT>", type="Mention")], "hi"),
        ("<at>B.o*t (1)</at> hi", [mention(BOT, "<at>B.o*t (1)</at>")], "hi"),
        ("@Bot hi", [mention(BOT, "@Bot")], "hi"),
        ("<@U1> hi", [mention(BOT, "<@U1>")], "hi"),
        ("<at>Bot</at> hi", [mention(BOT, None)], "hi"),
        ("<at>Bot</at> ask <at>Ada</at>", [mention(BOT, None), mention(ADA, None)], "ask Ada"),
        ("<at>Bot</at> ask <at>Ada</at>!", [TO_BOT, TO_ADA], "ask Ada!"),
        ("ask <at>Ada</at>", [TO_ADA], "ask Ada"),
        ("Bot, order a Bot", [TO_BOT], "Bot, order a Bot"),
        ("<at>Bot</at> typed by hand", [], "<at>Bot</at> typed by hand"),
        ("  hello ", [], "hello"),
        ("", [TO_BOT], ""),
        (None, [TO_BOT], ""),
    ],
)
def test_names_are_without_markup_and_the_bots_own_is_not_said(
    text: Any, entities: list[Any], said: str
) -> None:
    assert spoken(text, *entities) == said


@pytest.mark.parametrize(
    "entity",
    [
        {"type": "mention"},
        {"type": None, "mentioned": BOT, "text": "<at>Bot</at>"},
        {"mentioned": BOT, "text": "<at>Bot</at>"},
        {"type": "clientInfo", "locale": "en-US"},
        mention(None, "<at>Bot</at>"),
        mention("28:bot", "<at>Bot</at>"),
        mention({"id": BOT["id"]}, None),
        mention(BOT | {"name": 7}, None),
        mention(BOT, ""),
        mention(BOT, ["<at>Bot</at>"]),
    ],
    ids=str,
)
def test_what_mentions_nobody_changes_nothing(entity: dict[str, Any]) -> None:
    assert spoken("<at>Bot</at> hi", entity) == "<at>Bot</at> hi"


@given(name=st.text(max_size=20), before=st.text(max_size=20), after=st.text(max_size=20))
def test_whatever_the_bot_is_called_its_name_is_not_said(
    name: str, before: str, after: str
) -> None:
    markup = f"<at>{name}</at>"
    said = spoken(f"{before}{markup}{after}", mention(BOT, markup))
    assert markup not in said
    assert said.startswith(before.strip()) or not before.strip()


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest() as bot:
        yield bot


async def test_an_order_in_a_group_is_queued_and_repeated_without_the_bots_name(
    bot: BotUnderTest,
) -> None:
    order = {"type": "message", "text": "<at>Bot</at> order pizza", "recipient": BOT}
    (acknowledged,) = await bot.receives(order | {"entities": [TO_BOT]})
    (queued,) = bot.storage.queue(QUEUE_NAME).texts
    assert json.loads(queued)["text"] == "order pizza"
    (repeated,) = await bot.runs_queue()
    assert "<at>" not in acknowledged + repeated


@pytest.mark.parametrize("text_format", ["plain", "markdown", "xml", None])
async def test_what_is_typed_comes_back_in_its_format(
    bot: BotUnderTest, text_format: str | None
) -> None:
    await bot.receives({"type": "message", "text": "2 ** 3 ** 2", "textFormat": text_format})
    await bot.runs_queue()
    said = [sent.activity for sent in bot.channel.sent if sent.activity.text]
    assert [each.text_format for each in said] == [text_format] * 2


@pytest.mark.parametrize("text_format", ["", "html", "PLAIN\n", 7])
async def test_a_format_that_nobody_knows_is_not_repeated(
    bot: BotUnderTest, text_format: Any
) -> None:
    await bot.receives({"type": "message", "text": "hello", "textFormat": text_format})
    await bot.runs_queue()
    assert {sent.activity.text_format for sent in bot.channel.sent} == {None}


@pytest.mark.parametrize(
    ("data", "text_format"),
    [
        ({"textFormat": "plain"}, "plain"),
        ({"textFormat": "xml", "order": 7}, "xml"),
        ({"textFormat": "html"}, None),
        ({"textFormat": ["plain"]}, None),
        ({"textFormat": None}, None),
        ({"order": 7}, None),
    ],
    ids=str,
)
async def test_a_program_may_say_how_its_text_is_to_be_read(
    bot: BotUnderTest, data: dict[str, Any], text_format: str | None
) -> None:
    await bot.enqueue("**ready**", data=data)
    await bot.runs_queue()
    assert bot.channel.sent[-1].activity.text_format == text_format


async def test_an_activity_keeps_its_own_format(bot: BotUnderTest) -> None:
    await bot.enqueue(activity={"text": "<b>ready</b>", "textFormat": "xml"})
    await bot.runs_queue()
    assert bot.channel.sent[-1].activity.text_format == "xml"


async def test_of_a_large_team_a_few_are_named() -> None:
    async with BotUnderTest() as bot:
        members = [{"id": f"29:{n}", "name": f"Member {n}."} for n in range(1001)]
        (said,) = await bot.receives({"type": "conversationUpdate", "membersAdded": members})
    assert "Member 9." in said
    assert "Member 10." not in said
    assert "and 991 others" in said
