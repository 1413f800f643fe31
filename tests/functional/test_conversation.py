"""What a user sees: a welcome, an acknowledgement, and later the bot speaking first."""

import asyncio

import pytest

from bot_logic.contract.envelope import WORKER_USER_ID
from tests.functional.app_under_test import AppUnderTest

WELCOME = "Welcome Ada! Say something, and I will come back to you by myself."


async def test_the_whole_conversation(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    assert await ada.hears(2) == [WELCOME, "1: You said hello. Message added to the queue."]
    assert await app.run_worker() == 1
    assert (await ada.hears(3))[2] == "This is coming back from the trigger! hello"
    assert await app.queued() == []


async def test_the_same_with_every_request_authenticated(registered_app: AppUnderTest) -> None:
    ada = await registered_app.user()
    await ada.says("hello")
    await registered_app.run_worker()
    assert (await ada.hears(3))[2] == "This is coming back from the trigger! hello"


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
        "1: You said first. Message added to the queue.",
        "This is coming back from the trigger! first",
    ]
    said_to_ada = await ada.hears(5)
    assert said_to_ada[2] == "2: You said two. Message added to the queue."
    assert not [text for text in said_to_ada if "first" in text]


async def test_messages_that_come_in_together_get_a_number_each(app: AppUnderTest) -> None:
    ada = await app.user()
    await asyncio.gather(*(ada.says(f"m{number}") for number in range(15)))
    said = (await ada.hears(16))[1:]
    assert sorted(int(text.split(":")[0]) for text in said) == list(range(1, 16))
    assert len(await app.queued()) == 15


async def test_the_count_survives_a_restart(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("before")
    await app.restart()
    await ada.says("after")
    assert (await ada.hears(3))[2].startswith("2: You said after")


@pytest.mark.parametrize(
    ("activity", "answer"),
    [
        ({"type": "message", "text": ""}, "There was no text in your message."),
        ({"type": "message", "text": "  "}, "There was no text in your message."),
        ({"type": "message"}, "There was no text in your message."),
        ({"type": "message", "value": {"size": "L"}}, "Thank you for the form."),
        (
            {"type": "message", "attachments": [{"contentType": "image/png", "contentUrl": "x"}]},
            "Thank you for the attachment.",
        ),
    ],
    ids=["empty", "blank", "none", "card submit", "attachment"],
)
async def test_a_message_without_text_gets_a_sensible_answer(
    app: AppUnderTest, activity: dict[str, object], answer: str
) -> None:
    ada = await app.user()
    assert (await ada.posts(activity)).status == 200
    assert (await ada.hears(2))[1].startswith(answer)
    assert await app.queued() == []


async def test_a_text_that_does_not_fit_into_the_queue_is_told_so(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("x" * 45_000)
    assert (await ada.hears(2))[1].startswith("Your message is too long for the queue.")
    assert await app.queued() == []


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


async def test_fifty_messages_at_once_get_fifty_numbers(app: AppUnderTest) -> None:
    ada = await app.user()
    await asyncio.gather(*(ada.says(f"m{number}") for number in range(50)))
    acknowledged = [text for text in await ada.hears(51) if "You said" in text]
    assert sorted(int(text.split(":")[0]) for text in acknowledged) == list(range(1, 51))
