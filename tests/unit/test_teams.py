"""What the bot does in Teams: a test for each row of the table in docs/teams.md."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot_logic import conversations
from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.conversations import Conversation
from bot_logic.errors import ConversationBlocked, ConversationGone
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from local_dev.programs import ROOT

BOT = {"id": "28:0047c760-1f42-4a78-b1bd-9ecd95ec3615", "name": "Bot"}
ADA = {"id": "29:ada", "name": "Ada Lovelace", "aadObjectId": "a-1"}
BEN = {"id": "29:ben", "name": "Ben Nevis", "aadObjectId": "b-1"}
TENANT = {"tenantId": "t-1"}
GENERAL, OTHER = "19:general@thread.tacv2", "19:other@thread.tacv2"
PERSONAL: dict[str, Any] = {"id": "a:1", "conversationType": "personal", **TENANT}
GROUP: dict[str, Any] = {
    "id": "19:group@thread.v2",
    "conversationType": "groupChat",
    "isGroup": True,
    **TENANT,
}
SAID_IN_GENERAL = {"team": {"id": GENERAL}, "channel": {"id": GENERAL}, "tenant": {"id": "t-1"}}
PLACES = ["personal", "groupChat", "channel"]


def channel(channel_id: str = GENERAL) -> dict[str, Any]:
    return {"id": channel_id, "conversationType": "channel", "isGroup": True, **TENANT}


def thread(number: int, channel_id: str = GENERAL) -> dict[str, Any]:
    return channel(f"{channel_id};messageid={number}")


def place(kind: str) -> dict[str, Any]:
    places = {"personal": PERSONAL, "groupChat": GROUP, "channel": thread(1)}
    return places[kind]


def from_teams(conversation: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An activity as Teams sends it."""
    known = {"channelId": "msteams", "from": ADA, "recipient": BOT, "conversation": conversation}
    return known | fields


def said(text: str, conversation: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What somebody writes; elsewhere than in a personal chat they have to mention the bot."""
    if conversation["conversationType"] != "personal":
        mention = {"type": "mention", "mentioned": BOT, "text": "<at>Bot</at>"}
        fields = {"entities": [mention, {"type": "clientInfo"}]} | fields
        text = f"<at>Bot</at> {text}\n"
    html = {"contentType": "text/html", "content": f"<div><p>{text}</p></div>"}
    return from_teams(conversation, type="message", text=text, attachments=[html], **fields)


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest() as bot:
        yield bot


async def known(bot: BotUnderTest, conversation: dict[str, Any]) -> Conversation | None:
    """What another process knows of a conversation."""
    store = conversations.build(bot.storage, bot.clock)
    return await store.find("msteams", conversation["id"])


async def reference(bot: BotUnderTest, conversation: dict[str, Any]) -> dict[str, Any]:
    found = await known(bot, conversation)
    assert found is not None
    return found.reference


def queued(bot: BotUnderTest) -> list[str]:
    return [json.loads(text)["text"] for text in bot.storage.queue(QUEUE_NAME).texts]


def places_sent_to(bot: BotUnderTest) -> set[str]:
    return {sent.conversation_id for sent in bot.channel.sent}


async def test_added_to_a_personal_chat_the_bot_says_nothing_and_knows_it(
    bot: BotUnderTest,
) -> None:
    await bot.receives(from_teams(PERSONAL, type="installationUpdate", action="add"))
    await bot.receives(from_teams(PERSONAL, type="conversationUpdate", membersAdded=[BOT]))
    assert bot.channel.sent == []
    assert (await reference(bot, PERSONAL))["user"] == ADA


@pytest.mark.parametrize("group", [GROUP, channel()], ids=["groupChat", "channel"])
async def test_added_to_a_group_or_team_the_bot_says_nothing_and_knows_it_without_a_person(
    bot: BotUnderTest, group: dict[str, Any]
) -> None:
    await bot.receives(from_teams(group, type="conversationUpdate", membersAdded=[BOT]))
    assert bot.channel.sent == []
    assert "user" not in await reference(bot, group)


@pytest.mark.parametrize("group", [GROUP, channel()], ids=["groupChat", "channel"])
async def test_who_joins_a_group_or_team_is_welcomed_there_by_name(
    bot: BotUnderTest, group: dict[str, Any]
) -> None:
    (welcome,) = await bot.receives(
        from_teams(group, type="conversationUpdate", membersAdded=[BEN])
    )
    assert "Ben Nevis" in welcome
    assert places_sent_to(bot) == {group["id"]}


@pytest.mark.parametrize("kind", PLACES)
async def test_what_is_said_to_the_bot_is_queued_and_comes_back_where_it_was_said(
    bot: BotUnderTest, kind: str
) -> None:
    await bot.receives(said("order pizza", place(kind)))
    assert queued(bot) == ["order pizza"]
    (repeated,) = await bot.runs_queue()
    assert "order pizza" in repeated
    assert places_sent_to(bot) == {place(kind)["id"]}


@pytest.mark.parametrize("text", ["<at>Bot</at>", None], ids=["with its text", "without"])
@pytest.mark.parametrize("kind", ["groupChat", "channel"])
async def test_the_mention_of_the_bot_is_not_queued_and_other_names_are_without_markup(
    bot: BotUnderTest, kind: str, text: str | None
) -> None:
    mentions = [
        {"type": "mention", "mentioned": BOT, "text": text},
        {"type": "mention", "mentioned": BEN, "text": "<at>Ben Nevis</at>"},
    ]
    await bot.receives(said("ask <at>Ben Nevis</at>!", place(kind), entities=mentions))
    assert queued(bot) == ["ask Ben Nevis!"]


@pytest.mark.parametrize("kind", ["groupChat", "channel"])
async def test_a_mention_and_nothing_else_is_answered_and_not_queued(
    bot: BotUnderTest, kind: str
) -> None:
    (answer,) = await bot.receives(said("", place(kind)))
    assert "no text" in answer
    assert queued(bot) == []


async def test_a_file_without_a_text_is_answered_and_not_queued(bot: BotUnderTest) -> None:
    kind = "application/vnd.microsoft.teams.file.download.info"
    file = {"contentType": kind, "name": "menu.pdf", "contentUrl": "https://example.com/menu.pdf"}
    (answer,) = await bot.receives(from_teams(PERSONAL, type="message", attachments=[file]))
    assert "attachment" in answer
    assert queued(bot) == []


async def test_each_thread_of_a_channel_gets_its_own_answers(bot: BotUnderTest) -> None:
    for number in (1, 2):
        await bot.receives(said(f"order {number}", thread(number)))
    bot.channel.sent.clear()
    await bot.runs_queue()
    answers = {sent.conversation_id: sent.activity.text for sent in bot.channel.sent}
    assert answers.keys() == {thread(1)["id"], thread(2)["id"]}
    assert all(f"order {number}" in answers[thread(number)["id"]] for number in (1, 2))


async def test_each_thread_of_a_channel_counts_its_own_messages(bot: BotUnderTest) -> None:
    for number in (1, 2, 1):
        answer = (await bot.receives(said("hello", thread(number))))[-1]
    assert answer.startswith("2: ")
    assert (await bot.receives(said("hello", thread(2))))[-1].startswith("2: ")


async def test_a_channel_is_stored_once_and_not_once_a_thread(bot: BotUnderTest) -> None:
    for number in range(3):
        await bot.receives(said("hello", thread(number)))
    rows = [row async for row in bot.storage.table(conversations.TABLE_NAME).rows()]
    assert len(rows) == 1
    assert (await reference(bot, channel()))["conversation"]["id"] == GENERAL


async def test_each_channel_of_a_team_is_stored(bot: BotUnderTest) -> None:
    for channel_id in (GENERAL, OTHER):
        await bot.receives(said("hello", thread(1, channel_id)))
    assert (await reference(bot, channel(OTHER)))["conversation"]["id"] == OTHER
    assert (await reference(bot, channel(GENERAL)))["conversation"]["id"] == GENERAL


async def test_a_program_that_speaks_to_a_channel_begins_a_new_thread(bot: BotUnderTest) -> None:
    await bot.receives(said("hello", thread(1)))
    await bot.runs_queue()
    await bot.enqueue("the build broke", conversation=await reference(bot, thread(1)))
    await bot.runs_queue()
    last = bot.channel.sent[-1]
    assert (last.conversation_id, last.activity.reply_to_id) == (GENERAL, None)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("event", ["messageUpdate", "messageDelete", "messageReaction"])
async def test_what_is_edited_deleted_or_liked_is_not_queued_again(
    bot: BotUnderTest, kind: str, event: str
) -> None:
    await bot.receives(from_teams(place(kind), type=event, text="order tea"))
    assert bot.channel.sent == []
    assert queued(bot) == []


async def test_who_blocked_the_bot_stays_known_with_the_reason(bot: BotUnderTest) -> None:
    await bot.receives(said("hello", PERSONAL))
    bot.channel.faults.add(Fault("channel.send", error=ConversationBlocked("403: blocked")))
    await bot.runs_queue()
    await bot.runs_queue()
    found = await known(bot, PERSONAL)
    assert found is not None
    assert found.blocked is not None
    assert [letter.error for letter in await bot.dead_letters()] == ["ConversationBlocked"]


@pytest.mark.parametrize("kind", PLACES)
async def test_removed_the_bot_forgets_the_conversation(bot: BotUnderTest, kind: str) -> None:
    conversation = channel() if kind == "channel" else place(kind)
    await bot.receives(said("hello", conversation))
    await bot.receives(from_teams(conversation, type="conversationUpdate", membersRemoved=[BOT]))
    assert await known(bot, conversation) is None
    await bot.receives(said("hello", conversation))
    await bot.receives(from_teams(conversation, type="installationUpdate", action="remove"))
    assert await known(bot, conversation) is None


async def test_a_deleted_team_is_forgotten(bot: BotUnderTest) -> None:
    await bot.receives(said("hello", thread(1)))
    data = SAID_IN_GENERAL | {"eventType": "teamDeleted"}
    await bot.receives(from_teams(channel(), type="conversationUpdate", channelData=data))
    assert await known(bot, channel()) is None


async def test_other_channels_of_a_team_stay_known_until_teams_refuses_a_message(
    bot: BotUnderTest,
) -> None:
    await bot.receives(said("hello", thread(1, OTHER)))
    await bot.runs_queue()
    await bot.receives(from_teams(channel(), type="conversationUpdate", membersRemoved=[BOT]))
    await bot.enqueue("the build broke", conversation=await reference(bot, channel(OTHER)))
    bot.channel.faults.add(Fault("channel.send", error=ConversationBlocked("403: no member")))
    await bot.runs_queue()
    found = await known(bot, channel(OTHER))
    assert found is not None
    assert found.blocked is not None


async def test_a_deleted_channel_is_forgotten(bot: BotUnderTest) -> None:
    for place in (thread(1), thread(1, OTHER)):
        await bot.receives(said("hello", place))
    data = {"team": {"id": GENERAL}, "channel": {"id": OTHER}, "eventType": "channelDeleted"}
    await bot.receives(from_teams(channel(), type="conversationUpdate", channelData=data))
    assert await known(bot, channel(OTHER)) is None
    assert await known(bot, channel()) is not None


async def test_a_deleted_channel_is_forgotten_when_teams_does_not_know_it_any_more(
    bot: BotUnderTest,
) -> None:
    await bot.receives(said("hello", thread(1, OTHER)))
    await bot.runs_queue()
    await bot.enqueue("the build broke", conversation=await reference(bot, channel(OTHER)))
    bot.channel.faults.add(Fault("channel.send", error=ConversationGone("404")))
    await bot.runs_queue()
    assert await known(bot, channel(OTHER)) is None


def test_each_row_of_the_table_names_its_test_and_each_test_has_a_row() -> None:
    table = re.findall(r"`(test_\w+)` \|$", (ROOT / "docs/teams.md").read_text(), re.MULTILINE)
    tests = [name for name in globals() if name.startswith("test_")]
    assert sorted(
        {*table, "test_each_row_of_the_table_names_its_test_and_each_test_has_a_row"}
    ) == (sorted(tests))
