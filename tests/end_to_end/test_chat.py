"""A conversation in a real browser with the real Web Chat, on all that `make run` starts."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.end_to_end.conftest import NewChat, RunningStack

pytestmark = pytest.mark.asyncio(loop_scope="session")

FROM_THE_TRIGGER = "This is coming back from the trigger!"


async def test_the_bot_answers_and_then_speaks_first(new_chat: NewChat, tmp_path: Path) -> None:
    chat = await new_chat()
    await chat.says("hello")
    await chat.sees("1: You said hello. Message added to the queue.")
    await chat.sees(f"{FROM_THE_TRIGGER} hello", within=3)
    await chat.says("tell me when the pizza is ready")
    await chat.sees("2: You said tell me when the pizza is ready. Message added to the queue.")
    await chat.sees(f"{FROM_THE_TRIGGER} tell me when the pizza is ready", within=3)
    assert len(await chat.all_it_sees()) == 7
    assert await chat.page.get_by_text("Send failed").count() == 0
    picture = os.environ.get("PICTURE") or tmp_path / "conversation.png"
    assert await chat.page.screenshot(path=picture)


async def test_a_typing_indicator_shows_while_the_bot_works(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    at_once, slowly = {"times": 1}, {"delay": 3.0, "times": 2}
    await running.fail({"on": "bot_send"} | at_once, {"on": "bot_send"} | slowly)
    await chat.says("hello")
    await chat.page.locator(".webchat__typing-indicator").first.wait_for(timeout=10_000)
    assert "Message added" not in " ".join(await chat.all_it_sees())
    await chat.sees(f"{FROM_THE_TRIGGER} hello")


async def test_two_users_see_nothing_of_each_other(new_chat: NewChat) -> None:
    ada, bob = await new_chat(), await new_chat()
    await asyncio.gather(ada.says("I am Ada"), bob.says("I am Bob"))
    await ada.sees(f"{FROM_THE_TRIGGER} I am Ada")
    await bob.sees(f"{FROM_THE_TRIGGER} I am Bob")
    assert "Bob" not in " ".join(await ada.all_it_sees())
    assert "Ada" not in " ".join(await bob.all_it_sees())


async def test_a_reload_stays_in_the_conversation(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.says("before")
    await chat.sees(f"{FROM_THE_TRIGGER} before")
    await chat.page.reload()
    await chat.sees(f"{FROM_THE_TRIGGER} before")
    await chat.says("after")
    await chat.sees("2: You said after. Message added to the queue.")
    await chat.sees(f"{FROM_THE_TRIGGER} after")
    assert (await chat.all_it_sees()).count(f"{FROM_THE_TRIGGER} before") == 1


async def test_a_waiting_message_is_delivered_after_the_host_restarted(
    new_chat: NewChat, running: RunningStack
) -> None:
    await running.restart("functions", **{"AzureWebJobs.hand_to_bot.Disabled": "true"})
    chat = await new_chat()
    await chat.says("patience")
    await chat.sees("1: You said patience. Message added to the queue.")
    await asyncio.sleep(2.5)  # an idle message would have been picked up by now
    assert FROM_THE_TRIGGER not in " ".join(await chat.all_it_sees())
    await running.restart("functions")
    await chat.sees(f"{FROM_THE_TRIGGER} patience")
    await chat.says("still counting")
    await chat.sees("2: You said still counting. Message added to the queue.")
