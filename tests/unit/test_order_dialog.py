"""Dialogs: the example takes an order in three steps, over states that are JSON."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from botbuilder.core import ConversationState, TurnContext, UserState

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import STATE
from bot_logic.bot_endpoint.sdk.model_json import write
from bot_logic.bot_endpoint.state import StateConflict
from bot_logic.bot_endpoint.turn_states import conversation_state, user_state
from bot_logic.errors import ServiceUnavailable
from bot_logic.json_text import from_json, to_json
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from examples.order_dialog import OrderBot

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
        (which,) = await bot.hears("hello")
        assert "Which pizza" in which
        (sure,) = await bot.hears("funghi")
        assert "One Funghi. Shall I order it?" in sure
        assert await bot.hears("yes") == ["One Funghi is ordered. I tell you when it is ready."]
        assert await bot.runs_queue() == ["🍕 Your Funghi is ready."]


async def test_what_is_not_on_the_menu_is_asked_again_and_what_is_not_confirmed_not_ordered() -> (
    None
):
    async with BotUnderTest(OrderBot) as bot:
        await bot.hears("hello")
        (again,) = await bot.hears("sushi")
        assert "We do not have that one." in again
        await bot.hears("the third one")
        assert await bot.hears("no") == ["Then not. Write again when you are hungry."]
        assert await bot.runs_queue() == []
        assert "Which pizza" in (await bot.hears("hello"))[0]


async def test_each_conversation_is_in_a_step_of_its_own() -> None:
    async with BotUnderTest(OrderBot) as bot:
        await bot.hears("hello", user="ada")
        await bot.hears("hello", user="grace")
        assert "Margherita" in (await bot.hears("Margherita", user="ada"))[0]
        assert "Diavola" in (await bot.hears("Diavola", user="grace"))[0]


async def test_of_two_messages_at_once_one_goes_on_and_the_other_is_to_be_said_again() -> None:
    async with BotUnderTest(OrderBot) as bot:
        bot.storage.faults.add(Fault("table.read", delay=0.05))
        ends = await asyncio.gather(bot.hears("hello"), bot.hears("hello"), return_exceptions=True)
        assert [type(end) for end in ends].count(StateConflict) == 1
        bot.storage.faults.clear()
        assert "One Funghi." in (await bot.hears("Funghi"))[0]


async def test_a_dialog_talks_with_the_emulator_which_is_sent_its_state() -> None:
    async with BotUnderTest(OrderBot) as bot:
        message = {"type": "message", "channelId": "emulator"}
        await bot.receives({**message, "text": "hello"})
        (sure,) = await bot.receives({**message, "text": "Funghi"})
        assert "One Funghi." in sure
        traces = [sent.activity for sent in bot.channel.sent if sent.activity.type == "trace"]
        assert [trace.name for trace in traces] == ["BotState", "BotState"]
        assert all(from_json(to_json(write(trace))) for trace in traces)


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
