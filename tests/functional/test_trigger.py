"""The trigger handler: what the worker posts is delivered, what anyone else posts is not."""

import time
import uuid
from dataclasses import replace
from typing import Any

import pytest

from bot_logic import conversations
from bot_logic.clock import SYSTEM_CLOCK
from bot_logic.contract.envelope import WORKER_USER_ID, Envelope
from bot_logic.contract.trigger_token import sign
from bot_logic.conversations import Conversation
from bot_logic.secret import Secret
from tests.expected import proactive
from tests.functional.app_under_test import SIGNING_KEY, AppUnderTest, ChatUser
from tests.functional.messages import reference_of

KEYS = (Secret(SIGNING_KEY),)


def envelope_to(user: ChatUser, text: str = "psst", **changes: Any) -> Envelope:
    return Envelope(uuid.uuid4().hex, reference_of(user) | changes, text, created=0)


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"deeper": value}
    return value


async def test_the_workers_trigger_is_delivered(app: AppUnderTest) -> None:
    ada, worker = await app.user(), await app.user("dl_worker", "W")
    value = sign(envelope_to(ada), worker.conversation_id, KEYS, time.time())
    answer = await worker.posts({"type": "event", "name": "trigger", "value": value})
    assert answer.status == 200
    assert (await ada.hears(2))[1] == await proactive("psst")


async def test_the_old_templates_activity_type_is_a_trigger_too(app: AppUnderTest) -> None:
    ada, worker = await app.user(), await app.user("dl_worker", "W")
    value = sign(envelope_to(ada), worker.conversation_id, KEYS, time.time())
    assert (await worker.posts({"type": "trigger", "value": value})).status == 200
    assert (await ada.hears(2))[1] == await proactive("psst")


@pytest.mark.parametrize("kind", [{"type": "event", "name": "trigger"}, {"type": "trigger"}])
@pytest.mark.parametrize("forgery", ["unsigned", "other key", "other conversation", "legacy"])
async def test_a_visitors_trigger_is_refused_and_sends_nothing(
    app: AppUnderTest, kind: dict[str, str], forgery: str
) -> None:
    ada, mallory = await app.user(), await app.impostor()
    envelope = envelope_to(ada)
    values: dict[str, Any] = {
        "unsigned": envelope.to_document(),
        "other key": sign(envelope, mallory.conversation_id, [Secret("k" * 40)], time.time()),
        "other conversation": sign(envelope, ada.conversation_id, KEYS, time.time()),
        "legacy": {"RelatesTo": reference_of(ada), "Text": "psst"},
    }
    answer = await mallory.posts(kind | {"value": values[forgery]})
    assert answer.error == (502, "BotError")  # Direct Line's word for the bot's 403
    assert len(await ada.hears(1)) == 1
    assert await app.dead_letters() == []


async def test_a_refused_trigger_is_403_with_a_reason(app: AppUnderTest) -> None:
    ada = await app.user()
    activity = {
        "type": "event",
        "name": "trigger",
        "channelId": "directline",
        "serviceUrl": app.direct_line.base_url,
        "conversation": {"id": ada.conversation_id},
        "recipient": {"id": "bot"},
        "from": {"id": WORKER_USER_ID},
        "value": {"token": "e30.e30.e30"},
    }
    answer = await app.post(activity)
    assert answer.error == (403, "TriggerRefused")


async def test_an_event_of_another_name_is_no_trigger(app: AppUnderTest) -> None:
    ada = await app.user()
    assert (await ada.posts({"type": "event", "name": "other", "value": {}})).status == 200


async def test_a_conversation_that_is_gone_is_forgotten_and_dead_lettered(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    await ada.says("hello")
    assert await known(app, ada)
    app.direct_line.conversations.forget(ada.conversation_id)
    assert await app.run_worker() == 1
    (letter,) = await app.dead_letters()
    assert letter["error"] == "ConversationGone"
    assert "ConversationNotFound" in letter["reason"]
    assert letter["message"]["text"] == "hello"
    assert await known(app, ada) is None


async def test_who_blocked_the_bot_is_marked_until_they_write_again(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    rule = app.fail("bot_send", 403, code="ConversationBlockedByUser", times=1)
    assert await app.run_worker() == 1
    assert rule.hits == 1
    (letter,) = await app.dead_letters()
    assert letter["error"] == "ConversationBlocked"
    marked = await known(app, ada)
    assert marked is not None
    assert marked.blocked is not None
    assert marked.blocked.reason == letter["reason"]
    await ada.says("I am back")
    assert await known(app, ada) == replace(marked, blocked=None)


@pytest.mark.parametrize("status", [403, 404])
async def test_a_403_or_404_of_unknown_cause_does_not_forget_the_user(
    app: AppUnderTest, status: int
) -> None:
    ada = await app.user()
    await ada.says("hello")
    app.fail("bot_send", status, code="InsufficientPermissions")
    assert await app.run_worker() == 1
    assert [letter["error"] for letter in await app.dead_letters()] == ["Refused"]
    found = await known(app, ada)
    assert found is not None
    assert found.blocked is None


@pytest.mark.parametrize("status", [400, 413])
async def test_what_the_channel_will_never_take_is_dead_lettered(
    app: AppUnderTest, status: int
) -> None:
    ada = await app.user()
    await ada.says("hello")
    app.fail("bot_send", status, code="Never")
    assert await app.run_worker() == 1
    (letter,) = await app.dead_letters()
    assert (letter["error"], letter["reason"]) == (
        "Refused",
        f"the channel answered {status} Never",
    )
    found = await known(app, ada)
    assert found is not None
    assert found.blocked is None


@pytest.mark.parametrize(
    "change",
    [
        {"conversation": {"id": "c", "isGroup": {}}},
        {"conversation": {"id": "c", "properties": nested(900)}},
        {"user": {"id": {"deep": []}}},
        {"serviceUrl": "http://localhost:99999"},
        {"serviceUrl": "https://evil.example"},
        {"serviceUrl": "http://localhost/ elsewhere"},
    ],
    ids=["conversation", "deep", "user", "port", "host", "space"],
)
async def test_a_reference_that_the_sdk_cannot_read_comes_to_an_end(
    app: AppUnderTest, change: dict[str, Any]
) -> None:
    ada = await app.user()
    await app.enqueue({"conversation": reference_of(ada) | change, "text": "psst"})
    assert await app.run_worker() == 1
    assert len(await app.dead_letters()) == 1


async def known(app: AppUnderTest, user: ChatUser) -> Conversation | None:
    """What another process knows of a user's conversation."""
    another_process = conversations.build(app.wiring.storage, SYSTEM_CLOCK)
    return await another_process.find("directline", user.conversation_id)
