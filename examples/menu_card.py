"""A bot that shows a menu as a card, and whose buttons come back to its methods.

docs/cards.md explains it.
"""

from typing import Any

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.buttons import Answer, Card, button, message_with, on_button

PIZZAS = ("Margherita", "Funghi", "Diavola")


class MenuBot(ProactiveBot):
    """Takes an order by a press of a button, and says when the pizza is ready."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Show the menu, whatever was said."""
        choices = [button(pizza, "order", {"pizza": pizza}) for pizza in PIZZAS]
        await turn.send_activity(message_with(card("Which pizza would you like?", *choices)))

    @on_button("order")
    async def order(self, turn: TurnContext, data: dict[str, Any]) -> Answer:
        """Put an order on the queue, and show it in place of the menu."""
        pizza = data.get("pizza")
        if pizza not in PIZZAS:  # the data is what the client says
            return "We do not have that one."
        await self._outbox.put(turn, f"Your {pizza} is ready.")
        return card(f"One {pizza} is ordered.", button("Thank you", "thank"))

    @on_button("thank")
    async def thank(self, turn: TurnContext, data: dict[str, Any]) -> Answer:
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
