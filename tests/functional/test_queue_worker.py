"""The queue worker: each message is handed to the bot, kept for later, or dead-lettered."""

import asyncio
import json
import time
import uuid

import pytest

from bot_logic.contract.envelope import WORKER_USER_ID
from bot_logic.errors import MessageNotInserted
from tests.expected import proactive
from tests.functional.app_under_test import (
    NOWHERE,
    PATIENCE,
    AppUnderTest,
    ReceivedMessage,
)
from tests.functional.messages import old_messages, plain_message


def worker_conversations(app: AppUnderTest) -> int:
    users = [each.user.get("id") for each in app.direct_line.conversations]
    return users.count(WORKER_USER_ID)


@pytest.mark.parametrize("shape", ["C# v1", "C# v2", "Node.js", "plain"])
async def test_messages_of_other_producers_are_delivered(app: AppUnderTest, shape: str) -> None:
    ada = await app.user()
    await app.enqueue(old_messages(ada)[shape])
    assert await app.run_worker() == 1
    assert (await ada.hears(2))[1] == await proactive("hello")


async def test_one_conversation_serves_many_messages(app: AppUnderTest) -> None:
    ada = await app.user()
    for number in range(5):
        await ada.says(f"m{number}")
    assert await app.run_worker() == 5
    assert worker_conversations(app) == 1


async def test_a_lost_conversation_is_replaced_and_the_message_delivered(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("one")
    await app.run_worker()
    (lost,) = [e for e in app.direct_line.conversations if e.user.get("id") == WORKER_USER_ID]
    app.direct_line.conversations.forget(lost.id)
    await ada.says("two")
    assert await app.run_worker() == 1
    assert (await ada.hears(5))[4] == await proactive("two")


async def test_an_expired_token_of_the_conversation_is_no_failure(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("one")
    app.fail("post_activity", 403, code="TokenExpired", times=1)
    assert await app.run_worker() == 1
    assert worker_conversations(app) == 2


@pytest.mark.parametrize("status", [302, 401, 408, 429, 500, 502, 503, 504])
async def test_what_a_retry_can_help_is_delivered_when_the_dependency_asked_to_come_again(
    app: AppUnderTest, status: int
) -> None:
    ada = await app.user()
    await ada.says("hello")
    app.fail("post_activity", status, headers={"Retry-After": "1"}, times=1)
    assert await app.run_worker() == 1
    assert (await app.queued(), await app.waiting()) == ([], 1)  # there, but not to be seen yet

    async def delivered() -> bool:
        return len(await ada.hears(2)) == 3

    await app.run_worker_until(delivered)
    assert await app.waiting() == 0
    assert await app.dead_letters() == []


async def test_a_channel_that_asks_to_wait_is_waited_for(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    app.fail("bot_send", 429, headers={"Retry-After": "1"}, times=1)
    assert await app.run_worker() == 1
    assert await app.waiting() == 1

    async def delivered() -> bool:
        return len(await ada.hears(2)) == 3

    await app.run_worker_until(delivered)
    assert (await ada.hears(3))[2] == await proactive("hello")


async def test_a_direct_line_that_is_down_leaves_the_message_on_the_queue(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    await app.enqueue(old_messages(ada)["plain"])
    app.fail("start_conversation", 503)
    assert await app.run_worker() == 1
    assert await app.waiting() == 1
    assert await app.dead_letters() == []


async def test_a_message_that_cannot_be_put_back_stays_where_it_is(app: AppUnderTest) -> None:
    ada = await app.user()
    await app.enqueue(old_messages(ada)["plain"])
    app.fail("start_conversation", 503)
    await app.rewire({"AzureWebJobsStorage": NOWHERE})
    with pytest.raises(MessageNotInserted):
        await app.run_worker()
    assert await app.waiting() == 1


@pytest.mark.parametrize("status", [302, 403, 404])
async def test_a_refused_start_of_a_conversation_ends_in_a_dead_letter_with_its_reason(
    app: AppUnderTest, status: int
) -> None:
    ada = await app.user()
    await app.enqueue(old_messages(ada)["plain"])
    app.fail("start_conversation", status, code="NotThisSecret")
    await app.rewire({"MaxDeliveryAttempts": "1"})
    assert await app.run_worker() == 1
    (letter,) = await app.dead_letters()
    assert letter["reason"] == f"Direct Line answered {status} NotThisSecret"


async def test_many_messages_at_once_share_the_wait_for_a_new_conversation(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    messages = [ReceivedMessage(uuid.uuid4().hex, plain_message(ada)) for _ in range(24)]
    app.fail("start_conversation", 0, delay=0.3)
    async with asyncio.timeout(3):  # one after the other would take 7 seconds
        await asyncio.gather(*(app.wiring.worker.handle(message) for message in messages))
    assert worker_conversations(app) == 1


async def test_the_last_attempt_ends_in_a_dead_letter_with_its_history(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    await app.rewire({"MaxDeliveryAttempts": "2"})
    app.fail("post_activity", 503, times=1)
    app.fail("post_activity", 502, code="BotError")

    async def dead_lettered() -> bool:
        return bool(await app.dead_letters())

    await app.run_worker_until(dead_lettered)
    (letter,) = await app.dead_letters()
    assert letter["error"] == "BotFailed"
    assert letter["reason"] == "Direct Line answered 502 BotError"
    assert letter["firstReason"] == "Direct Line answered 503 ServiceError"
    assert letter["attempts"] == 2
    assert 0 <= letter["ageSeconds"] < PATIENCE
    assert "attempt" not in letter["message"]
    assert await app.waiting() == 0


async def test_a_dead_letters_message_can_be_put_on_the_queue_again(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    await app.rewire({"MaxDeliveryAttempts": "1"})
    app.fail("post_activity", 502, times=1)
    await app.run_worker()
    (letter,) = await app.dead_letters()
    await app.enqueue(letter["message"])
    await app.run_worker()
    assert (await ada.hears(3))[2] == await proactive("hello")


@pytest.mark.parametrize("status", [400, 413])
async def test_what_direct_line_will_never_take_is_dead_lettered(
    app: AppUnderTest, status: int
) -> None:
    ada = await app.user()
    await ada.says("hello")
    app.fail("post_activity", status)
    assert await app.run_worker() == 1
    (letter,) = await app.dead_letters()
    assert letter["error"] == "Refused"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("no json", "the message is not JSON, nor base64 of it"),
        ('{"text": "hello"}', "conversation: must be a JSON object"),
        ("[]", "message: must be a JSON object"),
    ],
)
async def test_an_undecodable_message_is_dead_lettered_at_first_sight(
    app: AppUnderTest, message: str, reason: str
) -> None:
    await app.enqueue(message)
    assert await app.run_worker() == 1
    (letter,) = await app.dead_letters()
    assert (letter["error"], letter["reason"]) == ("UndecodableMessage", reason)
    kept = letter["message"]
    assert kept == message or json.dumps(kept) == message


async def test_an_expired_message_is_dead_lettered_and_not_sent(app: AppUnderTest) -> None:
    ada = await app.user()
    await app.enqueue(old_messages(ada)["plain"] | {"expires": int(time.time()) - 1})
    assert await app.run_worker() == 1
    (letter,) = await app.dead_letters()
    assert letter["error"] == "ExpiredMessage"
    assert len(await ada.hears(1)) == 1


async def test_what_the_bot_queues_expires_after_the_message_lifetime(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    (message,) = await app.queued()
    assert message["expires"] - message["created"] == app.wiring.settings.message_lifetime


async def test_a_message_that_does_not_say_how_long_it_lives_lives_as_long_as_the_bots(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    await app.enqueue(plain_message(ada).decode())
    app.fail("post_activity", 503, headers={"Retry-After": "1"}, times=1)
    await app.run_worker()
    async with asyncio.timeout(PATIENCE):
        while not (visible := await app.queued()):  # noqa: ASYNC110 - a queue has no events
            await asyncio.sleep(0.1)
    (put_back,) = visible
    assert put_back["expires"] - put_back["created"] == app.wiring.settings.message_lifetime
