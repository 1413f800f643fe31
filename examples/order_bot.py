"""A bot that takes orders in a dialog, and else does what the template's bot does.

Its lines are those that docs/dialogs.md has you put into `bot_logic/bot.py`.
"""

from typing import Any

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import MessageCounter, Outbox
from bot_logic.contract.envelope import Envelope
from examples.order_dialog import OrderDialog


class OrderBot(ProactiveBot):
    """Takes an order of whoever says "order", and tells them when their pizza is ready."""

    def __init__(self, outbox: Outbox, counter: MessageCounter, **settings: Any) -> None:
        super().__init__(outbox, counter, **settings)
        self._dialog = OrderDialog(outbox)

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Take an order, or do what the bot did before; stop and start come first."""
        if await self._commands.answer(turn) or await self._dialog.answer(turn):
            return
        await super().on_message_activity(turn)

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        """Say what the kitchen says, or what the queue brought back."""
        if (envelope.data or {}).get("pizza"):
            await turn.send_activity(f"🍕 {envelope.text}")
            return
        await super().on_trigger(turn, envelope)
