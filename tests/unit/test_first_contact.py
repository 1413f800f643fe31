"""First contact: a person on Teams whom the bot has never met, named by their Entra object id."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botbuilder.schema import ConversationResourceResponse

from bot_logic.bot_endpoint.got_it import GOT_IT
from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.errors import AppNotInstalled, BadRequest, ConversationBlocked, Refused
from bot_logic.notifications import NOTIFICATIONS
from bot_logic.notifications.request import parse
from bot_logic.notifications.store import NotificationStore
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest

ADA = "6a2bd7ec-0a35-4f2c-9d38-0f3e6b6d6f11"
BOB = "0b1f2f64-7a3d-4a9f-8a55-4d2f7c0f2b22"
TENANT = "3f3d1cea-7a18-41af-872b-cfbbd5140984"
SERVICE_URL = "https://smba.trafficmanager.net/emea/"
NOT_INSTALLED = AppNotInstalled("the app is not installed for this person")


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest(settings={"ChannelRates": "slack=1"}) as bot:
        yield bot


def newcomer(user: str = ADA, **changed: Any) -> dict[str, Any]:
    return {"user": user, "tenant": TENANT, "serviceUrl": SERVICE_URL, **changed}


def writes(user: str, channels_id: str) -> dict[str, Any]:
    """What Teams posts when a person says something in the conversation that the bot has begun."""
    return {
        "type": "message",
        "text": "hello",
        "channelId": "msteams",
        "serviceUrl": SERVICE_URL,
        "conversation": {
            "id": f"new-with-{user}",
            "tenantId": TENANT,
            "conversationType": "personal",
        },
        "from": {"id": channels_id, "aadObjectId": user},
        "recipient": {"id": "28:the-bot"},
    }


def told(bot: BotUnderTest) -> list[tuple[str, str]]:
    return [(each.conversation_id, each.activity.text) for each in bot.channel.sent]


async def test_who_was_never_met_is_told_in_a_conversation_that_is_begun(bot: BotUnderTest) -> None:
    notification = await bot.notify(newcomer(), "Welcome")
    assert await bot.report(notification) == {"state": "sending", "open": 1}
    await bot.runs_queue()
    assert told(bot) == [(f"new-with-{ADA}", "Welcome")]
    assert bot.channel.sent[0].activity.from_property.id == "28:local-bot"
    assert bot.channel.sent[0].activity.conversation.additional_properties == {"tenantId": TENANT}
    assert await bot.report(notification) == {"state": "done", "sent": 1}


async def test_from_then_on_they_are_known(bot: BotUnderTest) -> None:
    await bot.notify(newcomer(), "Welcome")
    await bot.runs_queue()
    bot.channel.faults.add(Fault("channel.create", AssertionError("begun again")))
    for to in (newcomer(), {"user": ADA}, {"channel": "msteams"}):
        await bot.notify(to, "Again")
    await bot.runs_queue()
    assert told(bot)[1:] == [(f"new-with-{ADA}", "Again")] * 3


async def test_who_is_known_is_told_where_they_wrote_last(bot: BotUnderTest) -> None:
    await bot.receives(writes(ADA, "29:ada") | {"conversation": {"id": "a:ada"}})
    bot.channel.faults.add(Fault("channel.create", AssertionError("begun although known")))
    before = len(bot.channel.sent)
    await bot.notify(newcomer(ADA.upper()), "News")
    await bot.runs_queue()
    assert ("a:ada", "News") in told(bot)[before:]


async def test_a_list_has_both_and_who_is_named_twice_gets_it_once(bot: BotUnderTest) -> None:
    await bot.hears("hello")
    await bot.runs_queue()
    to = [{"user": "ada"}, newcomer(), newcomer(ADA.upper()), newcomer(BOB), {"user": "nobody"}]
    before = len(bot.channel.sent)
    notification = await bot.notify(to, "News")
    await bot.runs_queue()
    assert sorted(told(bot)[before:]) == [
        ("conversation-of-ada", "News"),
        (f"new-with-{BOB}", "News"),
        (f"new-with-{ADA}", "News"),
    ]
    assert await bot.report(notification) == {"state": "done", "sent": 3, "unknown": 1}


async def test_who_was_left_out_before_they_write_is_so_afterwards(bot: BotUnderTest) -> None:
    await bot.notify(newcomer(), "Welcome")
    await bot.runs_queue()
    ada = await bot.wiring.conversations.audiences.user(ADA)
    assert ada is not None
    await bot.wiring.conversations.skips.opt_out(dict(ada.reference))
    where = ada.reference["conversation"]
    await bot.receives(writes(ADA, "29:ada") | {"conversation": where})
    notification = await bot.notify({"channel": "msteams"}, "News")
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "optedOut": 1}


async def test_who_writes_later_is_one_person_and_not_two(bot: BotUnderTest) -> None:
    await bot.notify(newcomer(), "Welcome")
    await bot.runs_queue()
    await bot.receives(writes(ADA, "29:ada"))
    await bot.runs_queue()
    before = len(bot.channel.sent)
    await bot.notify({"channel": "msteams"}, "News")
    await bot.runs_queue()
    assert told(bot)[before:] == [(f"new-with-{ADA}", "News")]


async def test_where_the_app_is_not_installed_the_outcome_says_so(bot: BotUnderTest) -> None:
    bot.channel.faults.add(Fault("channel.create", NOT_INSTALLED))
    notification = await bot.notify([newcomer(), newcomer(BOB)], "Welcome")
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "notInstalled": 2}
    assert told(bot) == []


async def test_who_installs_it_later_gets_the_next_one_and_by_a_retry_this_one(
    bot: BotUnderTest,
) -> None:
    fault = bot.channel.faults.add(Fault("channel.create", NOT_INSTALLED, times=1))
    notification = await bot.notify(newcomer(), "Welcome")
    await bot.runs_queue()
    assert fault.met == 1
    await bot.notify(newcomer(), "News")
    await bot.runs_queue()
    await bot.retry(notification)
    await bot.runs_queue()
    assert told(bot) == [(f"new-with-{ADA}", "News"), (f"new-with-{ADA}", "Welcome")]
    assert await bot.report(notification) == {"state": "done", "sent": 1}


def pressed(bot: BotUnderTest) -> dict[str, Any]:
    """What Teams posts when Ada presses the button on what she was sent last."""
    to_ada = [each for each in bot.channel.sent if each.conversation_id.endswith(ADA)]
    (card,) = to_ada[-1].activity.attachments
    data = card.content["actions"][-1]["data"]
    return writes(ADA, "29:ada") | {"text": "", "value": {**data, "verb": GOT_IT}}


async def test_who_confirms_is_counted_although_the_first_of_it_was_tried_twice(
    bot: BotUnderTest,
) -> None:
    bot.channel.faults.add(Fault("channel.send", Refused("made to fail"), times=1))
    notification = await bot.notify(newcomer(), "Welcome", acknowledge=True)
    await bot.runs_queue()
    await bot.retry(notification)
    await bot.runs_queue()
    await bot.receives(pressed(bot))
    store = NotificationStore(bot.storage.table(NOTIFICATIONS))
    assert await store.count_acknowledged(notification) == 1


async def test_what_they_were_told_is_edited_and_recalled_where_it_is(bot: BotUnderTest) -> None:
    notification = await bot.notify(newcomer(), "Welcome")
    await bot.runs_queue()
    await bot.receives(writes(ADA, "29:ada") | {"conversation": {"id": "a:elsewhere"}})
    await bot.edit(notification, "Welcome, Ada")
    await bot.runs_queue()
    assert (f"new-with-{ADA}", "Welcome, Ada") in told(bot)
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1}
    assert bot.channel.sent[0].activity.type == "messageDelete"


async def test_a_recall_begins_no_conversation(bot: BotUnderTest) -> None:
    bot.channel.faults.add(Fault("channel.create", NOT_INSTALLED))
    recall = await bot.recall(await bot.notify([newcomer(), newcomer(BOB)], "Welcome"))
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done"}


async def test_whoever_was_met_and_is_forgotten_is_nowhere(bot: BotUnderTest) -> None:
    await bot.hears("hello", user="bob")
    notification = await bot.notify([newcomer(), {"user": "bob"}], "Welcome", acknowledge=True)
    await bot.runs_queue()
    await bot.receives(pressed(bot) | {"from": {"id": ADA, "aadObjectId": ADA}})
    assert await bot.forgets(ADA)
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1}
    assert not [text for _, text in await bot.storage.contents() if ADA in text]


async def test_a_bot_that_is_switched_off_is_told_apart(bot: BotUnderTest) -> None:
    error = ConversationBlocked("the channel answered 403 BotDisabledByAdmin")
    bot.channel.faults.add(Fault("channel.create", error))
    notification = await bot.notify(newcomer(), "Welcome")
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "switchedOff": 1}


async def test_what_fails_behind_the_beginning_is_retried_where_it_has_begun(
    bot: BotUnderTest,
) -> None:
    bot.channel.faults.add(Fault("channel.send", Refused("made to fail"), times=1))
    notification = await bot.notify(newcomer(), "Welcome")
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "refused": 1}
    bot.channel.faults.add(Fault("channel.create", AssertionError("begun again")))
    await bot.retry(notification)
    await bot.runs_queue()
    assert told(bot) == [(f"new-with-{ADA}", "Welcome")]
    assert await bot.report(notification) == {"state": "done", "sent": 1}


@pytest.mark.parametrize(
    ("to", "field"),
    [
        (newcomer(user="29:ada"), "to.user"),
        (newcomer(tenant="contoso.com"), "to.tenant"),
        (newcomer(tenant=f"{TENANT}\n"), "to.tenant"),
        ({"user": ADA, "serviceUrl": SERVICE_URL}, "to.tenant"),
        ({"user": ADA, "tenant": TENANT}, "to.serviceUrl"),
        (newcomer(serviceUrl="smba"), "to.serviceUrl"),
        (newcomer(serviceUrl="ftp://smba.trafficmanager.net"), "to.serviceUrl"),
        (newcomer(serviceUrl="https://evil.example/"), "to.serviceUrl"),
        (newcomer(serviceUrl="https://smba.trafficmanager.net@evil.example/"), "to.serviceUrl"),
        ([newcomer(), newcomer(serviceUrl="https://evil.example/")], "to[1].serviceUrl"),
        ([newcomer(BOB), newcomer(user="ada")], "to[1].user"),
        ({"topic": "news", "tenant": TENANT}, "to.tenant"),
        ({"conversation": "a:1", "serviceUrl": SERVICE_URL}, "to.serviceUrl"),
        (newcomer(at_most=1), "to.at_most"),
        (newcomer(service_url=SERVICE_URL), "to.service_url"),
    ],
)
async def test_what_names_nobody_on_teams_is_refused_by_field(
    bot: BotUnderTest, to: Any, field: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        await bot.notify(to, "Welcome")
    assert (refused.value.status, refused.value.field) == (400, field)


def test_guids_are_read_in_small_letters() -> None:
    body = json.dumps({"to": newcomer(ADA.upper(), tenant=TENANT.upper()), "text": "hi"})
    assert parse(body.encode(), 0, 60).to == newcomer()


class Forgetful(MemoryChannel):
    """Begins conversations and does not say which."""

    def __init__(self, answer: str | None) -> None:
        super().__init__()
        self._answer = answer

    async def create_conversation(self, parameters: Any) -> ConversationResourceResponse:
        await super().create_conversation(parameters)
        return ConversationResourceResponse(id=self._answer)


@pytest.mark.parametrize("answer", [None, "", "..", "a\nb"])
async def test_a_conversation_without_an_id_is_a_failed_attempt_of_one_person_only(
    answer: str | None,
) -> None:
    settings = {"ChannelRates": "slack=1", "MaxDeliveryAttempts": "1"}
    async with BotUnderTest(channel=Forgetful(answer), settings=settings) as bot:
        await bot.meets("bob")
        notification = await bot.notify([newcomer(), {"user": "bob"}], "Welcome")
        await bot.runs_queue()
        assert await bot.report(notification) == {
            "state": "done",
            "sent": 1,
            "tooManyAttempts": 1,
        }
