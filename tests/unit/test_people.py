"""What is stored about people: shown to them, and gone when they ask for it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.got_it import GOT_IT
from bot_logic.bot_endpoint.turn_states import conversation_state, user_state
from bot_logic.clock import iso
from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME, Envelope
from bot_logic.conversations.audiences import digits_for
from bot_logic.errors import ConversationBlocked, PermanentError, ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest

ADA = "29:ada-in-teams"
ENTRA = "6a2bd7ec-0a35-4f2c-9d38-0f3e6b6d6f11"
TENANT = "3f3d1cea-7a18-41af-872b-cfbbd5140984"
SERVICE_URL = "https://smba.trafficmanager.net/emea/"
WEEK = 7 * 24 * 3600


class Remembering(ProactiveBot):
    """Keeps something of everybody, and fails at what it is told to."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        for state in (conversation_state(turn), user_state(turn)):
            await state.create_property("said").set(turn, turn.activity.text)
        await super().on_message_activity(turn)

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        if "fail" in envelope.text:
            raise PermanentError("made to fail")
        await super().on_trigger(turn, envelope)


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest(Remembering, settings={"ChannelRates": "slack=1"}) as bot:
        yield bot


async def ada_writes(
    bot: BotUnderTest,
    text: str = "hello",
    *,
    conversation: Any = "a:ada",
    sender: Any = None,
    **changed: Any,
) -> None:
    personal = {"id": conversation, "tenantId": TENANT, "conversationType": "personal"}
    await bot.receives(
        {
            "type": "message",
            "text": text,
            "channelId": "msteams",
            "serviceUrl": SERVICE_URL,
            "conversation": personal if isinstance(conversation, str) else conversation,
            "from": sender or {"id": ADA, "aadObjectId": ENTRA},
            "recipient": {"id": "28:bot"},
            **changed,
        }
    )


async def everything_about_ada(bot: BotUnderTest) -> None:
    await bot.hears("hello", user="bob")
    await ada_writes(bot, conversation="a:older")
    await ada_writes(bot)
    for sender in ({"id": "ada@outlook"}, {"id": "ada@outlook", "aadObjectId": ENTRA}):
        await ada_writes(bot, conversation={"id": "o:ada"}, channelId="outlook", sender=sender)
    await bot.runs_queue()
    await ada_writes(bot, "this will fail")
    await bot.runs_queue()
    await bot.runs_queue()
    await bot.notify({"user": ENTRA}, "For Ada alone")
    await bot.notify([{"user": ADA}, {"user": "bob"}], "For two")
    await bot.notify([{"conversation": "a:ada"}, {"user": "bob"}], "Tomorrow", at=24 * 3600)
    await bot.runs_queue()
    confirmed = await bot.notify([{"user": ADA}, {"user": "bob"}], "Drill", acknowledge=True)
    await bot.runs_queue()
    await ada_confirms(bot)
    await bot.edit(confirmed, "Drill at noon")
    await bot.runs_queue()
    await bot.recall(confirmed)
    await bot.runs_queue()
    ada = await bot.wiring.conversations.audiences.conversation("a:ada")
    assert ada is not None
    await bot.wiring.conversations.skips.opt_out(dict(ada.reference))
    await bot.wiring.conversations.skips.block(dict(ada.reference), "blocked")


async def ada_confirms(bot: BotUnderTest) -> None:
    """Let Ada press the button on what she was sent last."""
    there = [each.activity for each in bot.channel.sent if each.conversation_id == "a:ada"]
    data = there[-1].attachments[-1].content["actions"][-1]["data"]
    await ada_writes(bot, "", value={**data, "verb": GOT_IT})


async def found_of(bot: BotUnderTest, *ids: str) -> set[str]:
    """Return the tables and queues in which one of these ids stands."""
    return {
        name
        for name, text in await bot.storage.contents()
        if any(each in text or json.dumps(each)[1:-1] in text for each in ids)
    }


IDS = (ADA, ENTRA, "a:ada", "a:older", "o:ada", "ada@outlook")
CHANNELS = ("msteams", "outlook", "test")


async def led_to(bot: BotUnderTest, *ids: str) -> set[str]:
    """Return the tables and queues with digits that stand for one of these ids."""
    return await found_of(bot, *(each[2:] for each in digits_for(ids, ids, CHANNELS)))


async def test_before_they_are_forgotten_it_stands_everywhere(bot: BotUnderTest) -> None:
    await everything_about_ada(bot)
    tables = {"audiences", "botstate", "conversations", "deadletters", "notifications"}
    assert await found_of(bot, *IDS) == tables
    assert await led_to(bot, *IDS) == {"audiences", "conversations", "notifications"}


@pytest.mark.parametrize("asked_for", [ADA, ENTRA, "ada@outlook"])
async def test_who_is_forgotten_stands_in_no_table(bot: BotUnderTest, asked_for: str) -> None:
    await everything_about_ada(bot)
    assert await bot.forgets(asked_for)
    assert await found_of(bot, *IDS) == set()
    assert await led_to(bot, *IDS) == {"forgotten"}
    assert await bot.knows_of(asked_for) is None
    assert not await bot.forgets(asked_for)


async def test_all_others_stay(bot: BotUnderTest) -> None:
    await everything_about_ada(bot)
    before = await bot.knows_of("bob")
    await bot.forgets(ADA)
    after = await bot.knows_of("bob")
    assert before is not None
    assert after == before


async def test_all_that_is_stored_is_shown(bot: BotUnderTest) -> None:
    await everything_about_ada(bot)
    shown = await bot.knows_of(ENTRA)
    assert shown is not None
    assert shown["ids"] == sorted([ADA, ENTRA, "ada@outlook"])
    where = [each["reference"]["conversation"]["id"] for each in shown["conversations"]]
    assert sorted(where) == ["a:ada", "a:older", "o:ada"]
    assert shown["state"]["msteams/users/29:ada-in-teams"] == {"said": "this will fail"}
    assert shown["state"]["msteams/messageCount/a:ada"] == 2
    assert [each["message"]["text"] for each in shown["deadLetters"]] == ["this will fail"]
    said = [(each["verb"], each.get("state")) for each in shown["notifications"]]
    assert sorted(said, key=str) == [
        ("edit", "edited"),
        ("recall", "recalled"),
        ("send", "sent"),
        ("send", "sent"),
        ("send", "sent"),
        ("send", None),
    ]
    (confirmed,) = (each for each in shown["notifications"] if "acknowledged" in each)
    assert confirmed["acknowledged"] == iso(int(bot.clock.now()))
    assert confirmed["activityId"]
    reasons = [(each["why"], each.get("reason")) for each in shown["leftOut"]]
    assert sorted(reasons) == [("blocked", "blocked"), ("optedOut", None)]
    assert json.loads(json.dumps(shown)) == shown


async def test_who_is_forgotten_gets_nothing_that_was_under_way(bot: BotUnderTest) -> None:
    await ada_writes(bot)
    await bot.notify([{"user": ADA}, {"user": "nobody"}], "News", at=60)
    await bot.forgets(ADA)
    bot.clock.advance(61)
    before = len(bot.channel.sent)
    for _ in range(3):
        await bot.runs_queue()
    assert bot.channel.sent[before:] == []
    assert await found_of(bot, *IDS) == set()


async def test_entras_id_is_known_in_large_letters_too(bot: BotUnderTest) -> None:
    await ada_writes(bot)
    assert await bot.knows_of(ENTRA.upper())
    assert await bot.forgets(ENTRA.upper())
    assert await bot.knows_of(ENTRA) is None


@pytest.mark.parametrize(
    "called",
    ["this will fail", "msteams", "28:bot", "de-DE", "markdown", "TextBlock", "no id", SERVICE_URL],
)
async def test_who_is_called_as_something_else_takes_nobodys_dead_letters_along(
    bot: BotUnderTest, called: str
) -> None:
    await ada_writes(bot, "this will fail", locale="de-DE", textFormat="markdown")
    await bot.runs_queue()
    card = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "fail"}]}
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    await bot.enqueue("fail", activity={"type": "message", "attachments": [attached]})
    await bot.storage.queue(POISON_QUEUE_NAME).put('{"user": {"name": "no id", "text": "msteams')
    await bot.runs_queue()
    await bot.runs_queue()
    before = len(await bot.dead_letters())
    assert before >= 2
    assert await bot.knows_of(called) is None
    assert not await bot.forgets(called)
    assert len(await bot.dead_letters()) == before


@pytest.mark.parametrize(
    "message",
    [
        {"relatesTo": {"User": {"Id": ADA}}},
        {"ResumptionCookie": {"Address": {"UserId": ADA}}},
        {"address": {"user": {"id": ADA}}},
        {"data": {"ordered by": [ADA]}},
        {"activity": {"entities": [{"type": "mention", "mentioned": {"id": ADA}}]}},
        f'{{"conversation": {{"user": {{"id": "{ADA}", "na',
        f'{{"UserId":"{ADA}", "na',
    ],
)
async def test_whom_a_dead_letter_names_by_id_is_found_in_any_shape(
    bot: BotUnderTest, message: Any
) -> None:
    letter = {"error": "Refused", "reason": "no", "message": message}
    await bot.storage.queue(POISON_QUEUE_NAME).put(json.dumps(letter))
    await bot.runs_queue()
    assert len((await bot.knows_of(ADA) or {})["deadLetters"]) == 1
    assert await bot.forgets(ADA)
    assert await bot.dead_letters() == []


async def test_what_is_hidden_on_the_queue_is_dropped_when_it_comes_to_light(
    bot: BotUnderTest,
) -> None:
    await ada_writes(bot)
    (message,) = bot.storage.queue(QUEUE_NAME).texts
    later = json.loads(message) | {"id": "later", "at": int(bot.clock.now()) + 10 * WEEK}
    await bot.runs_queue()
    await bot.storage.queue(QUEUE_NAME).put(json.dumps(later), delay=WEEK)
    await bot.forgets(ADA)
    assert await found_of(bot, *IDS) == {QUEUE_NAME}
    bot.clock.advance(WEEK)
    assert await bot.runs_queue() == []
    assert await found_of(bot, *IDS) == set()


async def test_what_ends_on_the_poison_queue_is_not_filed(bot: BotUnderTest) -> None:
    await ada_writes(bot)
    (message,) = bot.storage.queue(QUEUE_NAME).texts
    await bot.runs_queue()
    await bot.storage.queue(POISON_QUEUE_NAME).put(message)
    await bot.forgets(ADA)
    await bot.runs_queue()
    assert await bot.dead_letters() == []
    assert await found_of(bot, *IDS) == set()


async def test_who_comes_back_gets_what_is_new_and_nothing_from_before(bot: BotUnderTest) -> None:
    await ada_writes(bot, "before")
    (message,) = bot.storage.queue(QUEUE_NAME).texts
    await bot.forgets(ADA)
    bot.clock.advance(1)
    await ada_writes(bot, "after")
    said = await bot.runs_queue()
    assert said == ["This is coming back from the trigger! after"]
    await bot.storage.queue(QUEUE_NAME).put(message)
    assert await bot.runs_queue() == []


@pytest.mark.parametrize("failing", range(1, 40))
async def test_a_call_that_was_killed_half_way_can_be_made_again(
    bot: BotUnderTest, failing: int
) -> None:
    await everything_about_ada(bot)
    for call in ("table.delete", "table.replace", "table.put"):
        bot.storage.faults.add(Fault(call, times=failing - 1))
        bot.storage.faults.add(Fault(call, ServiceUnavailable("killed"), times=1))
    killed = 0
    for _ in range(4):
        try:
            await bot.forgets(ADA)
        except ServiceUnavailable:
            killed += 1
        else:
            break
    assert killed < 4
    assert await found_of(bot, *IDS) == set()
    assert await led_to(bot, *IDS) == {"forgotten"}


async def test_a_visitor_who_says_to_be_somebody_is_forgotten_and_that_one_is_not(
    bot: BotUnderTest,
) -> None:
    await ada_writes(bot)
    claims = {"from": {"id": "eve", "aadObjectId": ENTRA}, "conversation": {"id": "w1"}}
    await bot.receives(
        {"type": "message", "text": "hi", "channelId": "webchat", **claims}, user="eve"
    )
    await bot.runs_queue()
    assert await bot.forgets("eve")
    assert await found_of(bot, "eve", "w1") == set()
    assert await bot.knows_of(ADA) is not None


async def test_of_a_group_only_what_is_about_the_person_goes(bot: BotUnderTest) -> None:
    group = {"id": "19:group", "isGroup": True, "conversationType": "groupChat"}
    await ada_writes(bot, conversation=group)
    await bot.runs_queue()
    assert await bot.forgets(ADA)
    assert await found_of(bot, ADA) == set()
    assert "conversations" in await found_of(bot, "19:group")


async def test_a_conversation_is_forgotten_by_its_id(bot: BotUnderTest) -> None:
    await everything_about_ada(bot)
    assert await bot.forgets_conversation("a:ada")
    assert await found_of(bot, "a:ada") == set()
    assert not await bot.forgets_conversation("a:ada")


async def test_ids_of_activities_that_name_a_conversation_go_with_it(bot: BotUnderTest) -> None:
    direct_line = {"channelId": "directline", "conversation": {"id": "1"}}
    await bot.receives({"type": "message", "text": "hi", **direct_line}, user="dl_ada")
    await bot.runs_queue()
    await bot.notify({"channel": "directline"}, "News")
    await bot.runs_queue()
    assert await bot.forgets("dl_ada")
    assert await found_of(bot, "dl_ada") == set()


async def test_who_was_never_met_is_not_forgotten_twice(bot: BotUnderTest) -> None:
    assert not await bot.forgets("nobody")
    assert not await bot.forgets_conversation("nothing")
    assert await bot.knows_of("nobody") is None


async def test_that_they_said_stop_is_forgotten_also_when_their_conversation_is_gone(
    bot: BotUnderTest,
) -> None:
    await ada_writes(bot)
    await bot.receives({"type": "message", "text": "hello"}, user="bob")
    conversations = bot.wiring.conversations
    for conversation_id in ("a:ada", "conversation-of-bob"):
        member = await conversations.audiences.conversation(conversation_id)
        assert member is not None
        await conversations.skips.opt_out(dict(member.reference))
        await conversations.forget_stale(dict(member.reference))
    shown = await bot.knows_of(ADA)
    assert shown is not None
    assert [each["why"] for each in shown["leftOut"]] == ["optedOut"]
    assert await bot.forgets(ADA)
    assert await bot.knows_of(ADA) is None
    assert await bot.knows_of("bob") is not None


async def test_who_is_blocked_is_shown_so(bot: BotUnderTest) -> None:
    await ada_writes(bot)
    await bot.runs_queue()
    error = ConversationBlocked("the channel answered 403 MessageWritesBlocked")
    bot.channel.faults.add(Fault("channel.send", error))
    await bot.notify({"user": ADA}, "News")
    await bot.runs_queue()
    shown = await bot.knows_of(ADA)
    assert shown is not None
    assert shown["conversations"][0]["blocked"]["reason"] == str(error)


async def test_who_is_to_be_met_and_is_forgotten_before_is_not_met(bot: BotUnderTest) -> None:
    await bot.hears("hello", user="bob")
    await bot.runs_queue()
    newcomer = {"user": ENTRA, "tenant": TENANT, "serviceUrl": SERVICE_URL}
    notification = await bot.notify([newcomer, {"user": "bob"}], "News")
    assert await bot.forgets(ENTRA)
    assert await bot.runs_queue() == ["News"]
    assert await bot.report(notification) == {"state": "done", "sent": 1, "gone": 1}
    assert await found_of(bot, ENTRA) == set()


async def test_the_id_of_somebody_unknown_is_forgotten_too(bot: BotUnderTest) -> None:
    await bot.hears("hello", user="bob")
    notification = await bot.notify([{"user": "stranger"}, {"user": "bob"}], "News")
    await bot.runs_queue()
    assert await bot.forgets("stranger")
    assert await found_of(bot, "stranger") == set()
    assert await bot.report(notification) == {"state": "done", "sent": 1, "unknown": 1}


async def test_one_that_is_planned_later_goes_to_nobody_in_their_place(bot: BotUnderTest) -> None:
    await ada_writes(bot)
    await bot.hears("hello", user="bob")
    await bot.runs_queue()
    notification = await bot.notify([{"user": ADA}, {"conversation": "a:ada"}], "News", at=60)
    both = await bot.notify([{"user": ADA}, {"user": "bob"}], "News", at=60)
    await bot.forgets(ADA)
    bot.clock.advance(61)
    said = [text for _ in range(3) for text in await bot.runs_queue()]
    assert said == ["News"]
    assert await bot.report(both) == {"state": "done", "sent": 1, "gone": 1}
    with pytest.raises(AssertionError, match="no such notification"):
        await bot.report(notification)
