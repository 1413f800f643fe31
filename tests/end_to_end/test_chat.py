"""A conversation in a real browser with the real Web Chat, on all that `make run` starts."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.end_to_end.conftest import NewChat, RunningStack
from tests.expected import acknowledgement, proactive

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_bot_answers_and_then_speaks_first(new_chat: NewChat, tmp_path: Path) -> None:
    chat = await new_chat()
    await chat.says("hello")
    await chat.sees(await acknowledgement("hello", 1))
    await chat.sees(await proactive("hello"), within=3)
    await chat.says("tell me when the pizza is ready")
    await chat.sees(await acknowledgement("tell me when the pizza is ready", 2))
    await chat.sees(await proactive("tell me when the pizza is ready"), within=3)
    assert len(await chat.all_it_sees()) == 7
    assert await chat.page.get_by_text("Send failed").count() == 0
    picture = os.environ.get("PICTURE") or tmp_path / "conversation.png"
    assert await chat.page.screenshot(path=picture)


@pytest.mark.parametrize("transport", ["websocket"])
async def test_the_bots_picture_has_the_initials_of_its_name(new_chat: NewChat) -> None:
    chat = await new_chat()
    picture = chat.page.locator(".webchat__initialsAvatar__initials").first
    assert await picture.inner_text() == "PB"
    for name, initials in [
        ("Stranger bot", "SB"),
        ("Ada's “Pizza” & co", "AS"),
        ("ピザ 🍕", "ピ"),
        ("7up", "7"),
    ]:
        await chat.page.evaluate("name => { document.title = name; }", name)
        await chat.page.locator("#new-conversation").click()
        await (
            chat.page.locator(".webchat__initialsAvatar").filter(has_text=initials).first.wait_for()
        )
        assert await picture.inner_text() == initials


async def test_a_typing_indicator_shows_while_the_bot_works(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    at_once, slowly = {"times": 1}, {"delay": 3.0, "times": 2}
    await running.fail({"on": "bot_send"} | at_once, {"on": "bot_send"} | slowly)
    await chat.says("hello")
    await chat.page.locator(".webchat__typing-indicator").first.wait_for(timeout=10_000)
    assert await acknowledgement("hello") not in await chat.all_it_sees()
    await chat.sees(await proactive("hello"))


async def test_two_users_see_nothing_of_each_other(new_chat: NewChat) -> None:
    ada, bob = await new_chat(), await new_chat()
    await asyncio.gather(ada.says("I am Ada"), bob.says("I am Bob"))
    await ada.sees(await proactive("I am Ada"))
    await bob.sees(await proactive("I am Bob"))
    assert "Bob" not in " ".join(await ada.all_it_sees())
    assert "Ada" not in " ".join(await bob.all_it_sees())


async def test_a_reload_stays_in_the_conversation(new_chat: NewChat) -> None:
    chat = await new_chat()
    await chat.says("before")
    await chat.sees(await proactive("before"))
    await chat.page.reload()
    await chat.sees(await proactive("before"))
    await chat.says("after")
    await chat.sees(await acknowledgement("after", 2))
    await chat.sees(await proactive("after"))
    assert (await chat.all_it_sees()).count(await proactive("before")) == 1


async def test_a_waiting_message_is_delivered_after_the_host_restarted(
    new_chat: NewChat, running: RunningStack
) -> None:
    await running.restart("functions", **{"AzureWebJobs.hand_to_bot.Disabled": "true"})
    chat = await new_chat()
    await chat.says("patience")
    await chat.sees(await acknowledgement("patience", 1))
    await asyncio.sleep(2.5)  # an idle message would have been picked up by now
    assert await proactive("patience") not in await chat.all_it_sees()
    await running.restart("functions")
    await chat.sees(await proactive("patience"))
    await chat.says("still counting")
    await chat.sees(await acknowledgement("still counting", 2))


async def test_a_conversation_goes_on_after_the_local_direct_line_restarted(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    await chat.says("before")
    await chat.sees(await proactive("before"))
    await running.restart("direct-line")
    await chat.page.reload()
    await chat.sees(await proactive("before"))
    await chat.says("after")
    await chat.sees(await acknowledgement("after", 2))
    await chat.sees(await proactive("after"))
