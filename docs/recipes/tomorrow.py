"""Tomorrow at nine: "remind me tomorrow at 9 to call Ada". In bot.py, in the same method, first.

It is nine where the user is, as Teams and Web Chat say; elsewhere UTC. The answer names the zone.
"""

import re
from datetime import datetime, time, timedelta

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.local_time import time_zone_of
from bot_logic.bot_endpoint.spoken import spoken_text

TOMORROW = re.compile(
    r"remind me tomorrow at ([01]?\d|2[0-3])(?::([0-5]\d))? to (.+)", re.IGNORECASE | re.ASCII
)


class Tomorrow(ProactiveBot):
    """Reminds people at a time of the next day; `on_trigger` says it."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Take a reminder, or do what the bot did before."""
        # recipe
        if asked := TOMORROW.fullmatch(spoken_text(turn.activity)):
            zone = time_zone_of(turn.activity)
            day = self.now().astimezone(zone).date() + timedelta(days=1)
            at = datetime.combine(day, time(int(asked[1]), int(asked[2] or 0)), zone)
            await self._outbox.put(turn, asked[3], at=at)
            await turn.send_activity(f"I will, on {at:%A at %H:%M} ({zone}).")
            return
        # end
        await super().on_message_activity(turn)
