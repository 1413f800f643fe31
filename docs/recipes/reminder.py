"""Reminder: "remind me in 10 minutes to stand up". In bot.py, at the start of the same methods."""

import re

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot  # not in bot.py
from bot_logic.bot_endpoint.spoken import spoken_text
from bot_logic.contract.envelope import Envelope

REMIND = re.compile(r"remind me in (\d{1,4}) minutes? to (.+)", re.IGNORECASE)


class Reminder(ProactiveBot):
    """Reminds people when it is time, or later if something is down."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Take a reminder, or do what the bot did before."""
        # recipe
        if asked := REMIND.fullmatch(spoken_text(turn.activity)):
            await self._outbox.put(turn, asked[2], data={"remind": True}, delay=int(asked[1]) * 60)
            await turn.send_activity("I will.")
            return
        # end
        await super().on_message_activity(turn)

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        """Remind, or say what the queue brought back."""
        # recipe
        if (envelope.data or {}).get("remind"):
            await turn.send_activity(f"Time to {envelope.text}")
            return
        # end
        await super().on_trigger(turn, envelope)
