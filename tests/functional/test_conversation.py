"""What a user sees: a welcome, an acknowledgement, and later the bot speaking first."""

import asyncio

from botbuilder.core import ActivityHandler, TurnContext

from bot_logic.bot_endpoint import MessageCounter, Outbox
from bot_logic.contract.envelope import WORKER_USER_ID
from tests.expected import acknowledgement, proactive, welcome
from tests.functional.app_under_test import AppUnderTest


async def test_the_whole_conversation(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    assert await ada.hears(2) == [await welcome("Ada"), await acknowledgement("hello")]
    assert await app.run_worker() == 1
    assert (await ada.hears(3))[2] == await proactive("hello")
    assert await app.queued() == []


async def test_the_same_with_every_request_authenticated(registered_app: AppUnderTest) -> None:
    ada = await registered_app.user()
    await ada.says("hello")
    await registered_app.run_worker()
    assert (await ada.hears(3))[2] == await proactive("hello")


async def test_typing_comes_first(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    assert [each["type"] for each in await ada.activities()] == ["message", "typing", "message"]


async def test_each_conversation_counts_for_itself_and_hears_only_itself(app: AppUnderTest) -> None:
    ada, bob = await app.user(), await app.user("dl_bob", "Bob")
    await ada.says("one")
    await ada.says("two")
    await bob.says("first")
    await app.run_worker()
    assert (await bob.hears(3))[1:] == [
        await acknowledgement("first"),
        await proactive("first"),
    ]
    said_to_ada = await ada.hears(5)
    assert said_to_ada[2] == await acknowledgement("two", 2)
    assert not [text for text in said_to_ada if "first" in text]


async def test_the_count_survives_a_restart(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("before")
    await app.restart()
    await ada.says("after")
    assert (await ada.hears(3))[2] == await acknowledgement("after", 2)


async def test_the_workers_own_conversation_is_not_welcomed(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    await app.run_worker()
    (workers,) = [
        each for each in app.direct_line.conversations if each.user.get("id") == WORKER_USER_ID
    ]
    assert [each["type"] for each in workers.after(0)[0]] == ["event"]


async def test_the_proactive_message_answers_no_activity(app: AppUnderTest) -> None:
    """Web Chat would hold it back for 5 seconds if it did."""
    ada = await app.user()
    await ada.says("hello")
    await app.run_worker()
    await ada.hears(3)
    assert "replyToId" not in (await ada.activities())[-1]


async def test_when_the_channel_fails_after_the_queue_took_it_the_user_is_not_told_to_repeat(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    app.fail("bot_send", 500)
    assert (await ada.says("hello")).status == 200
    assert [message["text"] for message in await app.queued()] == ["hello"]


class Counting(ActivityHandler):  # type: ignore[misc]
    """Says nothing but the number of each message."""

    def __init__(self, _outbox: Outbox, counter: MessageCounter) -> None:
        self._count = counter

    async def on_message_activity(self, turn: TurnContext) -> None:
        await turn.send_activity(str(await self._count.next(turn)))


async def test_fifty_messages_at_once_get_fifty_numbers(app: AppUnderTest) -> None:
    ada = await app.user()
    await app.rewire(make_bot=Counting)
    await asyncio.gather(*(ada.says(f"m{number}") for number in range(50)))
    numbers = (await ada.hears(51))[1:]
    assert sorted(map(int, numbers)) == list(range(1, 51))
