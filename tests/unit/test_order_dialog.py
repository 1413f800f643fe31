"""Dialogs: the example takes an order in three steps, over states that are JSON."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from botbuilder.core import ConversationState, MessageFactory, TurnContext, UserState
from botbuilder.dialogs import (
    ComponentDialog,
    DialogSet,
    DialogTurnResult,
    DialogTurnStatus,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import NumberPrompt, PromptOptions, TextPrompt

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import STATE, MessageCounter, Outbox
from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.bot_endpoint.spoken import spoken_text
from bot_logic.bot_endpoint.state import StateConflict
from bot_logic.bot_endpoint.turn_states import conversation_state, user_state
from bot_logic.errors import ServiceUnavailable
from bot_logic.json_text import from_json, to_json
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from examples.order_bot import OrderBot
from examples.order_dialog import OrderDialog

ROOT = Path(__file__).parents[2]
WITHOUT_DIALOGS = """
import asyncio, sys
sys.modules["botbuilder.dialogs"] = None  # so that importing it fails
from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.turn_states import conversation_state
from bot_logic.testing import BotUnderTest

class Keeping(ProactiveBot):
    async def on_message_activity(self, turn):
        kept = conversation_state(turn).create_property("kept")
        await turn.send_activity(str(await kept.get(turn)))
        await kept.set(turn, turn.activity)

async def main():
    async with BotUnderTest(Keeping) as bot:
        assert await bot.hears("one") == ["None"]
        assert "'text': 'one'" in (await bot.hears("two"))[0]

asyncio.run(main())
"""


def test_a_bot_without_dialogs_needs_no_package_of_theirs() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_DIALOGS], cwd=ROOT, check=True)
    assert "botbuilder-dialogs" not in (ROOT / "requirements.txt").read_text()


async def test_an_order_takes_three_steps_and_comes_back_when_it_is_ready() -> None:
    async with BotUnderTest(OrderBot) as bot:
        (which,) = await bot.hears("order")
        assert "Which pizza" in which
        (sure,) = await bot.hears("funghi")
        assert "One Funghi. Shall I order it?" in sure
        assert await bot.hears("yes") == ["One Funghi is ordered. I tell you when it is ready."]
        assert await bot.runs_queue() == ["🍕 Your Funghi is ready."]


async def test_what_is_not_on_the_menu_is_asked_again_and_what_is_not_confirmed_not_ordered() -> (
    None
):
    async with BotUnderTest(OrderBot) as bot:
        await bot.hears("order")
        (again,) = await bot.hears("sushi")
        assert "We do not have that one." in again
        await bot.hears("the third one")
        assert await bot.hears("no") == ["Then not. Write again when you are hungry."]
        assert await bot.runs_queue() == []
        assert "Which pizza" in (await bot.hears("order"))[0]


async def test_each_conversation_is_in_a_step_of_its_own() -> None:
    async with BotUnderTest(OrderBot) as bot:
        await bot.hears("order", user="ada")
        await bot.hears("order", user="grace")
        assert "Margherita" in (await bot.hears("Margherita", user="ada"))[0]
        assert "Diavola" in (await bot.hears("Diavola", user="grace"))[0]


async def test_of_two_messages_at_once_one_goes_on_and_the_other_is_to_be_said_again() -> None:
    async with BotUnderTest(OrderBot) as bot:
        bot.storage.faults.add(Fault("table.read", delay=0.05))
        ends = await asyncio.gather(bot.hears("order"), bot.hears("order"), return_exceptions=True)
        assert [type(end) for end in ends].count(StateConflict) == 1
        bot.storage.faults.clear()
        assert "One Funghi." in (await bot.hears("Funghi"))[0]


async def test_a_dialog_talks_with_the_emulator_which_is_sent_its_state() -> None:
    async with BotUnderTest(OrderBot) as bot:
        message = {"type": "message", "channelId": "emulator"}
        await bot.receives({**message, "text": "order"})
        (sure,) = await bot.receives({**message, "text": "Funghi"})
        assert "One Funghi." in sure
        traces = [sent.activity for sent in bot.channel.sent if sent.activity.type == "trace"]
        assert [trace.name for trace in traces] == ["BotState", "BotState"]
        assert all(from_json(to_json(write(trace))) for trace in traces)


async def test_beside_the_dialog_the_bot_does_what_it_did_and_commands_come_first() -> None:
    async with BotUnderTest(OrderBot) as bot, BotUnderTest() as plain:
        assert await bot.hears("hello") == await plain.hears("hello")
        await bot.hears("order")
        assert await bot.hears("stop") == await plain.hears("stop")
        assert "One Diavola." in (await bot.hears("Diavola"))[0]
        assert await bot.runs_queue() == await plain.runs_queue()


class TableDialog(ComponentDialog):  # type: ignore[misc]
    """Asks for how many, and keeps it."""

    def __init__(self) -> None:
        super().__init__("table")
        self.add_dialog(WaterfallDialog("steps", [self._ask, self._when, self._say]))
        self.add_dialog(NumberPrompt("guests"))
        self.add_dialog(TextPrompt("when"))

    async def _ask(self, step: WaterfallStepContext) -> DialogTurnResult:
        question = MessageFactory.text("How many?")
        return await step.prompt("guests", PromptOptions(prompt=question))

    async def _when(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["guests"] = step.result
        return await step.prompt("when", PromptOptions(prompt=MessageFactory.text("When?")))

    async def _say(self, step: WaterfallStepContext) -> DialogTurnResult:
        await step.context.send_activity(f"For {step.values['guests']} {step.result}.")
        return await step.end_dialog()


class Waiter(ProactiveBot):
    """Has two dialogs, as docs/dialogs.md shows it."""

    def __init__(self, outbox: Outbox, counter: MessageCounter) -> None:
        super().__init__(outbox, counter)
        self._order = OrderDialog(outbox)
        self._table = TableDialog()

    async def on_message_activity(self, turn: TurnContext) -> None:
        if not await self._in_a_dialog(turn):
            await super().on_message_activity(turn)

    async def _in_a_dialog(self, turn: TurnContext) -> bool:
        words = {"order": "order", "book a table": "table"}  # what one says: the dialog's id
        dialogs = DialogSet(conversation_state(turn).create_property("dialogs"))
        for dialog in (self._order, self._table):
            dialogs.add(dialog)
        context = await dialogs.create_context(turn)
        if (await context.continue_dialog()).status != DialogTurnStatus.Empty:
            return True
        begun = words.get(spoken_text(turn.activity).casefold())
        if begun:
            await context.begin_dialog(begun)
        return begun is not None


async def test_of_several_dialogs_each_begins_by_a_word_of_its_own() -> None:
    async with BotUnderTest(Waiter) as bot, BotUnderTest() as plain:
        assert await bot.hears("hello") == await plain.hears("hello")
        assert "Which pizza" in (await bot.hears("order"))[0]
        assert "We do not have that one." in (await bot.hears("book a table"))[0]
        await bot.hears("Funghi")
        await bot.hears("no")
        assert await bot.hears("Book a table") == ["How many?"]


@pytest.mark.parametrize(("said", "kept"), [("4", "4"), ("2.50", "2.5"), ("four", "4")])
async def test_the_number_that_a_prompt_asks_for_is_kept(said: str, kept: str) -> None:
    async with BotUnderTest(Waiter) as bot:
        await bot.hears("book a table")
        assert await bot.hears(said) == ["When?"]
        assert await bot.hears("at eight") == [f"For {kept} at eight."]


def test_the_page_shows_what_is_tested() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs/dialogs.md").read_text(), re.DOTALL)
    tested = [*(ROOT / "examples/order_dialog.py").read_text().splitlines()]
    tested += Path(__file__).read_text().splitlines()
    known = {line.strip() for line in tested}
    answer, several = shown[0], shown[1]
    lines = [*answer.splitlines(), *several.splitlines()]
    assert [line for line in lines if line.strip() not in known] == []


class Keeping(ProactiveBot):
    """Counts what it hears, in the conversation and of the user; "forget" begins again."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        if turn.activity.text == "forget":
            await conversation_state(turn).clear_state(turn)
        counts = []
        for state in (conversation_state(turn), user_state(turn)):
            heard = state.create_property("heard")
            counts.append(await heard.get(turn, lambda: 0) + 1)
            await heard.set(turn, counts[-1])
        await turn.send_activity(f"{counts}")


async def test_states_are_kept_from_turn_to_turn_and_forgotten_when_cleared() -> None:
    async with BotUnderTest(Keeping) as bot:
        assert await bot.hears("one") == ["[1, 1]"]
        assert await bot.hears("two") == ["[2, 2]"]
        assert await bot.hears("forget") == ["[1, 3]"]
        assert await bot.hears("two") == ["[2, 4]"]


async def test_a_turn_that_fails_keeps_nothing() -> None:
    async with BotUnderTest(Keeping) as bot:
        bot.channel.faults.add(Fault("channel.send", error=ServiceUnavailable("down"), times=1))
        with pytest.raises(ServiceUnavailable):
            await bot.hears("one")
        assert await bot.hears("one") == ["[1, 1]"]


class Asking(ProactiveBot):
    """Says what states its turns have."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        names = [kind.__name__ for kind in (ConversationState, UserState)]
        await turn.send_activity(" ".join(name for name in names if name in turn.turn_state))


async def test_a_turn_of_nobody_has_no_state_of_a_user_and_what_is_not_used_is_not_stored() -> None:
    async with BotUnderTest(Asking) as bot:
        assert await bot.hears("hello") == ["ConversationState UserState"]
        assert await bot.receives({"type": "message", "from": None}) == ["ConversationState"]
        assert [row async for row in bot.storage.table(STATE).rows()] == []
