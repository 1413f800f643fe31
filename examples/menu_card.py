"""A menu as a card, whose buttons come back to methods. `menu` shows it.

docs/cards.md says how to make it your own; `menu_bot.py` is a bot that has it.
"""

from typing import Any

from botbuilder.core import TurnContext

from bot_logic.bot_endpoint import Outbox
from bot_logic.bot_endpoint.buttons import (
    Answer,
    ButtonHandler,
    Card,
    button,
    message_with,
    on_button,
)
from bot_logic.bot_endpoint.spoken import spoken_text

PIZZAS = ("Margherita", "Funghi", "Diavola")


class Menu(ButtonHandler):
    """Part of a bot: takes an order by a press of a button."""

    _outbox: Outbox  # the bot's

    async def show_menu(self, turn: TurnContext) -> bool:
        """Show the menu at the word `menu`; else return False."""
        if spoken_text(turn.activity).casefold() != "menu":
            return False
        choices = [button(pizza, "order", {"pizza": pizza}) for pizza in PIZZAS]
        await turn.send_activity(message_with(card("Which pizza would you like?", *choices)))
        return True

    @on_button("order")
    async def order(self, turn: TurnContext, data: dict[str, Any]) -> Answer:
        """Put an order on the queue, and show it in place of the menu."""
        pizza = data.get("pizza")
        if pizza not in PIZZAS:  # the data is what the client says
            return "We do not have that one."
        await self._outbox.put(turn, f"Your {pizza} is ready.")
        return card(f"One {pizza} is ordered.", button("Thank you", "thank"))

    @on_button("thank")
    async def thank(self, turn: TurnContext, data: dict[str, Any]) -> Answer:  # noqa: ARG002 - neither is needed
        """Be thanked."""
        return "You are welcome!"


def card(text: str, *buttons: dict[str, Any]) -> Card:
    """Make an Adaptive Card of a text and buttons."""
    return {
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [{"type": "TextBlock", "text": text, "wrap": True}],
        "actions": list(buttons),
    }
