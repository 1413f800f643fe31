"""The test of hello that each bot has passes whatever a bot answers, but not for one that fails."""

from typing import Any

import pytest
from botbuilder.core import CardFactory, MessageFactory, TurnContext
from botbuilder.dialogs import DialogExtensions
from botbuilder.schema import HeroCard
from playwright.async_api import Browser

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import MakeBot
from bot_logic.bot_endpoint.turn_states import conversation_state
from examples.order_dialog import OrderDialog
from tests.end_to_end.conftest import NewChat
from tests.end_to_end.test_cards import chat_with
from tests.expected import answers

pytestmark = pytest.mark.asyncio(loop_scope="session")
CARDS = [CardFactory.hero_card(HeroCard(title=title)) for title in ("Funghi", "Diavola")]


class Asking(ProactiveBot):
    """Begins a dialog, whose choices Web Chat shows as buttons."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        where = conversation_state(turn).create_property("dialogs")
        await DialogExtensions.run_dialog(OrderDialog(self._outbox), turn, where)


class OfCards(ProactiveBot):
    async def on_message_activity(self, turn: TurnContext) -> None:
        await turn.send_activity(MessageFactory.attachment(CARDS[0]))
        await turn.send_activity(MessageFactory.carousel(CARDS))


class Silent(ProactiveBot):
    async def on_message_activity(self, turn: TurnContext) -> None: ...

    async def on_members_added_activity(self, *_: Any) -> None: ...


class Failing(ProactiveBot):
    async def on_message_activity(self, turn: TurnContext) -> None:  # noqa: ARG002
        raise RuntimeError("a mistake")


@pytest.mark.parametrize(
    ("make_bot", "count"), [(ProactiveBot, 2), (Asking, 2), (OfCards, 3), (Silent, 0)]
)
async def test_hello_passes(browser: Browser, make_bot: MakeBot, count: int) -> None:
    assert await answers("hello", make_bot) == count
    async with chat_with(make_bot) as app:
        chat = await NewChat(browser, app.page).before_the_bot_answers()
        await chat.says_and_is_heard("hello")
        await chat.sees_answers(count)
        await chat.page.context.close()


async def test_hello_fails_for_a_bot_that_fails(browser: Browser) -> None:
    async with chat_with(Failing) as app:
        chat = await NewChat(browser, app.page).before_the_bot_answers()
        with pytest.raises(AssertionError):
            await chat.says_and_is_heard("hello")
        await chat.page.context.close()
