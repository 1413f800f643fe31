"""Who receives says stop and start, and subscribes to topics, in a real browser."""

import pytest
from botbuilder.core import TurnContext
from playwright.async_api import Browser

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import MessageCounter, Outbox
from bot_logic.bot_endpoint.recipient_commands import RecipientCommands, Texts
from tests.end_to_end.conftest import NewChat, RunningStack
from tests.end_to_end.test_cards import chat_with
from tests.end_to_end.test_notifications import call, done
from tests.expected import acknowledgement, proactive

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAYS = Texts()


class Kitchen(ProactiveBot):
    """A bot whose author lets people subscribe to a topic."""

    def __init__(self, outbox: Outbox, counter: MessageCounter) -> None:
        super().__init__(outbox, counter)
        self._said = RecipientCommands(outbox.subscriber, topics=("Pizza",))

    async def on_message_activity(self, turn: TurnContext) -> None:
        if await self._said.answer(turn):
            return
        await super().on_message_activity(turn)


async def broadcast(running: RunningStack, text: str) -> dict[str, int]:
    """Tell everyone, and return how many have which outcome."""
    everyone = {"to": {"all": True, "at_most": 500}, "text": text}
    taken = await call(running, "POST", "notifications", everyone)
    counts: dict[str, int] = (await done(running, taken["id"]))["counts"]
    return counts


async def test_who_says_stop_hears_no_broadcasts_but_all_that_is_for_them(
    new_chat: NewChat, running: RunningStack
) -> None:
    ada, bob = await new_chat(), await new_chat()
    await ada.says("Stop!")
    await ada.sees(SAYS.stopped)
    assert (await broadcast(running, "Two for one"))["optedOut"] == 1
    await bob.sees("Two for one")
    await ada.says("hello")
    await ada.sees(await acknowledgement("hello"))
    await ada.sees(await proactive("hello"))
    assert "Two for one" not in await ada.all_it_sees()
    await ada.says("start")
    await ada.sees(SAYS.started)
    assert "optedOut" not in await broadcast(running, "Three for one")
    await ada.sees("Three for one")


async def test_who_subscribes_to_a_topic_is_told_what_concerns_it(
    browser: Browser, transport: str
) -> None:
    async with chat_with(Kitchen) as app:
        chat = NewChat(browser, f"{app.page}/?transport={transport}")
        ada, bob = await chat(), await chat()
        await ada.says("subscribe")
        await ada.sees(SAYS.which_topic.replace("{topics}", "Pizza"))
        await ada.says("subscribe pizza")
        await ada.sees(SAYS.subscribed.replace("{topic}", "Pizza"))
        await app.wiring.notifier.send({"topic": "Pizza"}, "Funghi are back")
        await app.wakes_up()
        await ada.sees("Funghi are back")
        assert "Funghi are back" not in await bob.all_it_sees()
        await ada.says("unsubscribe pizza")
        await ada.sees(SAYS.unsubscribed.replace("{topic}", "Pizza"))
        for each in (ada, bob):
            await each.page.context.close()
