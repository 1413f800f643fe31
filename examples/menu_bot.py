"""A bot that shows a menu as a card, and else does what the template's bot does.

Its lines are those that docs/cards.md has you put into `bot_logic/bot.py`.
"""

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from examples.menu_card import Menu


class MenuBot(Menu, ProactiveBot):
    """Takes an order by a press of a button, and says when the pizza is ready."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Show the menu to who asks for it, or do what the bot did before."""
        if not await self.show_menu(turn):
            await super().on_message_activity(turn)
