"""Who is remembered and who is forgotten: one rule for every kind of activity."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic import conversations
from bot_logic.bot_endpoint.lifecycle import Lifecycle, is_own, lifecycle_of
from bot_logic.bot_endpoint.sdk.activity_json import to_activity
from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.contract.envelope import WORKER_USER_ID
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest

BOT, ADA = {"id": "bot", "name": "Bot"}, {"id": "ada", "name": "Ada"}
WORKER = {"id": WORKER_USER_ID}
GROUP = {"id": "19:group@thread.v2", "isGroup": True, "conversationType": "groupChat"}
CHANNEL = "19:general@thread.tacv2"
THREAD = f"{CHANNEL};messageid=1700000000000"


def meaning_of(**changes: Any) -> Lifecycle:
    document: dict[str, Any] = {
        "channelId": "msteams",
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "conversation": {"id": "a:1"},
        "from": ADA,
        "recipient": BOT,
    }
    return lifecycle_of(to_activity(document | changes))


BEGINNINGS: list[dict[str, Any]] = [
    {"type": "installationUpdate", "action": "add"},
    {"type": "installationUpdate", "action": "add-upgrade"},
    {"type": "installationUpdate", "action": "Add-Upgrade"},
    {"type": "contactRelationUpdate", "action": "add"},
    {"type": "conversationUpdate", "membersAdded": [ADA]},
    {"type": "conversationUpdate", "membersAdded": [BOT, ADA]},
    {"type": "conversationUpdate", "membersAdded": [BOT]},
    {"type": "conversationUpdate", "membersAdded": [None, BOT], "conversation": GROUP},
    {"type": "conversationUpdate", "membersAdded": [BOT], "conversation": GROUP, "channelId": "x"},
    {"type": "conversationUpdate", "membersAdded": [BOT], "conversation": {"id": CHANNEL}},
]
ENDS: list[dict[str, Any]] = [
    {"type": "installationUpdate", "action": "remove"},
    {"type": "installationUpdate", "action": "remove-upgrade"},
    {"type": "contactRelationUpdate", "action": "remove"},
    {"type": "conversationUpdate", "membersRemoved": [BOT]},
    {"type": "conversationUpdate", "membersRemoved": [ADA, BOT], "conversation": GROUP},
    {"type": "conversationUpdate", "channelData": {"eventType": "teamDeleted"}},
    {"type": "endOfConversation"},
    {"type": "endOfConversation", "code": "completedSuccessfully"},
    {"type": "deleteUserData"},
]
OTHERS: list[dict[str, Any]] = [
    {"type": "installationUpdate"},
    {"type": "installationUpdate", "action": "paused"},
    {"type": "contactRelationUpdate", "action": None},
    {"type": "conversationUpdate"},
    {"type": "conversationUpdate", "topicName": "pizza"},
    {"type": "conversationUpdate", "membersRemoved": [ADA]},
    {"type": "conversationUpdate", "membersAdded": [{"name": "nobody"}]},
    {"type": "conversationUpdate", "channelData": {"eventType": "channelRenamed"}},
    {"type": "conversationUpdate", "channelData": "teamDeleted"},
    {"type": "conversationUpdate", "channelData": {"eventType": "channelDeleted"}},
    {
        "type": "conversationUpdate",
        "channelData": {"eventType": "channelDeleted", "channel": "19:x"},
    },
    {
        "type": "conversationUpdate",
        "channelData": {"eventType": "channelDeleted", "channel": {"id": [7]}},
    },
    {"type": "conversationUpdate", "channelId": "directline", "membersAdded": [BOT]},
    {"type": "conversationUpdate", "channelId": "webchat", "membersAdded": [BOT]},
    {"type": "conversationUpdate", "membersAdded": [BOT, WORKER]},
    {"type": "conversationUpdate", "membersAdded": [BOT], "from": WORKER},
    {"type": "deleteUserData", "conversation": GROUP},
    {"type": "message", "text": "hello", "from": WORKER},
    {"type": "typing", "from": WORKER},
    {"type": "trace"},
    {"type": "from the future", "action": "remove"},
]
ALIVE = ["event", "invoke", "typing", "messageReaction", "messageUpdate", "messageDelete"]


@pytest.mark.parametrize("activity", BEGINNINGS, ids=str)
def test_a_conversation_begins(activity: dict[str, Any]) -> None:
    assert meaning_of(**activity) is Lifecycle.BEGINS


@pytest.mark.parametrize("activity", ENDS, ids=str)
def test_a_conversation_ends(activity: dict[str, Any]) -> None:
    assert meaning_of(**activity) is Lifecycle.ENDS


@pytest.mark.parametrize("activity", OTHERS, ids=str)
def test_nothing_is_said_about_a_conversation(activity: dict[str, Any]) -> None:
    assert meaning_of(**activity) is Lifecycle.SAYS_NOTHING


@pytest.mark.parametrize("kind", ALIVE)
def test_somebody_is_there(kind: str) -> None:
    assert meaning_of(type=kind) is Lifecycle.IS_ALIVE


def test_a_message_goes_on_wherever_it_is_said() -> None:
    assert meaning_of(type="message", text="hello") is Lifecycle.GOES_ON
    assert meaning_of(type="message", conversation=GROUP) is Lifecycle.GOES_ON


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest() as bot:
        yield bot


async def reference(
    bot: BotUnderTest, conversation_id: str, channel_id: str = "test"
) -> dict[str, Any] | None:
    """What another process knows of a conversation."""
    found = await conversations.build(bot.storage, bot.clock).find(channel_id, conversation_id)
    return None if found is None else found.reference


@pytest.mark.parametrize("beginning", BEGINNINGS, ids=str)
@pytest.mark.parametrize("end", ENDS, ids=str)
async def test_what_has_begun_is_known_until_it_ends(
    bot: BotUnderTest, beginning: dict[str, Any], end: dict[str, Any]
) -> None:
    here = {"conversation": beginning.get("conversation", {"id": "a:1"}), "channelId": "msteams"}
    if end["type"] == "deleteUserData":
        here["conversation"] = {"id": "a:1"}
    await bot.receives(beginning | here)
    assert await reference(bot, here["conversation"]["id"], "msteams") is not None
    await bot.receives(end | here)
    assert await reference(bot, here["conversation"]["id"], "msteams") is None


@pytest.mark.parametrize("kind", ["groupChat", "channel"])
async def test_a_group_is_known_without_the_one_who_added_the_bot(
    bot: BotUnderTest, kind: str
) -> None:
    group = {"id": "19:g", "conversationType": kind}
    added = {"type": "conversationUpdate", "membersAdded": [BOT], "conversation": group}
    await bot.receives(added)
    known = await reference(bot, "19:g")
    assert known is not None
    assert known["bot"]["id"] == "bot"
    assert "user" not in known


async def test_the_bot_is_no_user_of_its_own(bot: BotUnderTest) -> None:
    await bot.receives({"type": "conversationUpdate", "membersAdded": [BOT], "from": BOT})
    known = await reference(bot, "conversation-of-ada")
    assert known is not None
    assert "user" not in known


async def test_a_channel_is_known_once_and_not_once_for_each_thread(bot: BotUnderTest) -> None:
    for number in range(3):
        thread = {"id": f"{CHANNEL};messageid={number}", "isGroup": True}
        await bot.receives({"type": "message", "text": "hi", "conversation": thread})
    known = await reference(bot, CHANNEL)
    assert known is not None
    assert known["conversation"]["id"] == CHANNEL
    assert await reference(bot, THREAD) == known
    await bot.receives(
        {"type": "conversationUpdate", "membersRemoved": [BOT], "conversation": {"id": CHANNEL}}
    )
    assert await reference(bot, THREAD) is None


@pytest.mark.parametrize(("channel_id", "is_forgotten"), [("msteams", True), ("x", False)])
async def test_a_channel_that_teams_deletes_is_forgotten_and_the_teams_others_are_not(
    bot: BotUnderTest,
    channel_id: str,
    is_forgotten: bool,  # noqa: FBT001
) -> None:
    for place in (CHANNEL, "19:pizza@thread.tacv2;messageid=1"):
        said = {"type": "message", "text": "hi", "conversation": {"id": place, "isGroup": True}}
        await bot.receives({**said, "channelId": channel_id})
    deleted = {"id": "19:pizza@thread.tacv2", "name": "Pizza"}
    data = {"eventType": "channelDeleted", "channel": deleted, "team": {"id": CHANNEL}}
    update = {"type": "conversationUpdate", "conversation": {"id": CHANNEL}, "channelData": data}
    await bot.receives({**update, "channelId": channel_id})
    known = await reference(bot, "19:pizza@thread.tacv2", channel_id)
    assert (known is None) is is_forgotten
    assert await reference(bot, CHANNEL, channel_id) is not None


async def test_what_is_said_in_a_thread_is_answered_there(bot: BotUnderTest) -> None:
    await bot.receives({"type": "message", "text": "hi", "conversation": {"id": THREAD}})
    await bot.runs_queue()
    assert {sent.conversation_id for sent in bot.channel.sent} == {THREAD}


@given(before=st.text(min_size=1, max_size=20), number=st.integers(min_value=0))
async def test_only_a_threads_number_is_taken_off(before: str, number: int) -> None:
    async with BotUnderTest() as bot:
        store = conversations.build(bot.storage, bot.clock)
        known = {"channelId": "c", "serviceUrl": "https://x", "conversation": {"id": before}}
        await store.remember(known)
        assert await reference(bot, f"{before};messageid={number}", "c") == known
        for other in (f"{before};messageid=", f"{before};messageid={number}x", f"x{before}"):
            assert await reference(bot, other, "c") is None


async def test_a_thread_that_is_gone_leaves_its_channel_known(bot: BotUnderTest) -> None:
    store = conversations.build(bot.storage, bot.clock)
    known = {"channelId": "c", "serviceUrl": "https://x", "conversation": {"id": CHANNEL}}
    await store.remember(known)
    await store.forget_stale(known | {"conversation": {"id": THREAD}})
    assert await reference(bot, CHANNEL, "c") == known
    await store.forget_stale(known)
    assert await reference(bot, CHANNEL, "c") is None


OWN: list[dict[str, Any]] = [
    {"from": BOT},
    {"from": {"id": "bot", "role": "user"}},
    {"from": {"id": "another name of the bot", "role": "bot"}},
    {"from": BOT | {"role": "bot"}, "recipient": ADA},
]


@pytest.mark.parametrize("echo", OWN, ids=str)
async def test_the_bots_own_words_are_no_users(bot: BotUnderTest, echo: dict[str, Any]) -> None:
    assert await bot.receives({"type": "message", "text": "You said x.", **echo}) == []
    assert bot.channel.sent == []
    assert await bot.runs_queue() == []
    assert await reference(bot, "conversation-of-ada") is None


@pytest.mark.parametrize("sender", [ADA, ADA | {"role": "user"}, {"name": "x"}, None], ids=str)
def test_anybody_elses_are(sender: Any) -> None:
    document = {"type": "message", "from": sender, "recipient": BOT, "conversation": {"id": "c"}}
    assert not is_own(to_activity(document))


MOVED = "http://localhost:4000/moved"


async def urls_sent_to(bot: BotUnderTest) -> list[str]:
    await bot.runs_queue()
    return [str(sent.activity.service_url) for sent in bot.channel.sent]


async def test_a_proactive_message_goes_where_its_conversation_has_moved(bot: BotUnderTest) -> None:
    await bot.meets()
    await bot.enqueue("ready")
    await bot.receives({"type": "message", "text": "", "serviceUrl": MOVED})
    before = len(bot.channel.sent)
    assert (await urls_sent_to(bot))[before:] == [MOVED]


@pytest.mark.parametrize("kind", ALIVE)
async def test_whatever_comes_from_a_known_conversation_says_where_it_is(
    bot: BotUnderTest, kind: str
) -> None:
    await bot.meets()
    before = len(bot.channel.sent)
    await bot.enqueue("ready")
    await bot.receives({"type": kind, "name": "x", "serviceUrl": MOVED})
    assert (await urls_sent_to(bot))[before:] == [MOVED]
    known = await reference(bot, "conversation-of-ada")
    assert known is not None
    assert (known["serviceUrl"], known["user"]["id"]) == (MOVED, "ada")


async def test_a_proactive_message_is_in_its_users_language(bot: BotUnderTest) -> None:
    await bot.receives({"type": "message", "text": "hallo", "locale": "de-DE"})
    await bot.runs_queue()
    assert bot.channel.sent[-1].activity.locale == "de-DE"


async def test_a_reference_that_nobody_has_stored_is_taken_at_its_word(bot: BotUnderTest) -> None:
    await bot.enqueue("ready")
    assert await urls_sent_to(bot) == ["http://localhost:3000"]


async def test_a_thread_goes_where_its_channel_has_moved(bot: BotUnderTest) -> None:
    there = {"conversation": {"id": THREAD, "isGroup": True}}
    await bot.receives({"type": "message", "text": "hi"} | there)
    await bot.receives(
        {"type": "message", "text": "", "serviceUrl": MOVED, "conversation": {"id": CHANNEL}}
    )
    before = len(bot.channel.sent)
    assert (await urls_sent_to(bot))[before:] == [MOVED]
    assert bot.channel.sent[-1].conversation_id == THREAD


async def test_when_nobody_can_say_where_it_moved_the_message_goes_all_the_same(
    bot: BotUnderTest,
) -> None:
    await bot.enqueue("ready")
    fault = Fault("table.read", error=ServiceUnavailable("down"), times=1)
    bot.storage.faults.add(fault)
    assert await urls_sent_to(bot) == ["http://localhost:3000"]


async def test_what_is_sent_for_an_agent_says_who_speaks(bot: BotUnderTest) -> None:
    reference = {
        "channelId": "test",
        "serviceUrl": "http://localhost:3000",
        "conversation": {"id": "c"},
        "agent": BOT,
    }
    await bot.enqueue("ready", conversation=reference)
    await bot.runs_queue()
    assert bot.channel.sent[-1].activity.from_property.id == "bot"


TEAMS_USER = ADA | {"aadObjectId": "a-1", "tenantId": "t-1", "userRole": "user"}
TEAMS_CHAT = {"id": "a:1", "conversationType": "personal", "tenantId": "t-1", "future": [None]}


async def test_a_reference_keeps_what_the_sdk_has_no_field_for(bot: BotUnderTest) -> None:
    await bot.receives(
        {"type": "message", "text": "x", "from": TEAMS_USER, "conversation": TEAMS_CHAT}
    )
    known = await reference(bot, "a:1")
    assert known is not None
    assert (known["user"], known["conversation"]) == (TEAMS_USER, TEAMS_CHAT)


async def test_what_comes_back_from_the_queue_has_it_too(bot: BotUnderTest) -> None:
    await bot.receives(
        {"type": "message", "text": "x", "from": TEAMS_USER, "conversation": TEAMS_CHAT}
    )
    await bot.runs_queue()
    sent = write(bot.channel.sent[-1].activity)
    assert (sent["recipient"], sent["conversation"]) == (TEAMS_USER, TEAMS_CHAT)


async def test_a_programs_mention_reaches_the_channel_whole(bot: BotUnderTest) -> None:
    mention = {"type": "mention", "mentioned": ADA, "text": "<at>Ada</at>"}
    await bot.enqueue(activity={"text": "<at>Ada</at>: ready", "entities": [mention]})
    await bot.runs_queue()
    assert write(bot.channel.sent[-1].activity)["entities"] == [mention]
