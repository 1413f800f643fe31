"""Broadcast with a card and a button: on Fridays everyone is asked, and the card shows the answer.

    cp docs/recipes/lunch.py bot_logic/functions.py

The timer goes into functions.py, the method of the class into the class in bot.py, with CARD and
the imports.
"""

from typing import Any

import azure.functions as func  # not in bot.py
from botbuilder.core import CardFactory, MessageFactory, TurnContext

from bot_logic.bot import ProactiveBot  # not in bot.py
from bot_logic.bot_endpoint.buttons import button, on_button
from bot_logic.startup import wiring  # not in bot.py

own = func.Blueprint()  # type: ignore[no-untyped-call] # not in bot.py
CARD = {"type": "AdaptiveCard", "version": "1.4"}


# recipe
@own.timer_trigger("timer", "0 0 11 * * 5")  # second, minute, hour, day, month, day of the week
async def ask(timer: func.TimerRequest) -> None:
    """Ask everyone, but nobody if they are more than a thousand."""
    question = [{"type": "TextBlock", "text": "Pizza for lunch?"}]
    card = CARD | {"body": question, "actions": [button("Yes, please", "lunch")]}
    message = MessageFactory.attachment(CardFactory.adaptive_card(card))
    await wiring().notifier.send({"all": True, "at_most": 1000}, message)


# end
class Lunch(ProactiveBot):
    """Takes who wants lunch."""

    # recipe
    @on_button("lunch")
    async def lunch(self, turn: TurnContext, data: dict[str, Any]) -> dict[str, Any]:
        """Show that it was taken, in place of the button."""
        return CARD | {"body": [{"type": "TextBlock", "text": "One pizza for you."}]}

    # end
