"""Long job: answer at once, say how far it is, bring the result. In bot.py, in the same methods.

Each part takes at most ten seconds, for `on_trigger` has twelve; after it the next part is put on
the queue. So a restart, or a dependency that is down, costs one part's work and not the job.
"""

import asyncio

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot  # not in bot.py
from bot_logic.bot_endpoint.spoken import spoken_text
from bot_logic.contract.envelope import Envelope

PARTS = 3


async def work(part: int) -> str:
    """Do a part of the job; return what to say of it. Yours."""
    await asyncio.sleep(0)
    return f"Part {part} of {PARTS} is done." if part < PARTS else "Your report: 42 pizzas."


class Reporter(ProactiveBot):
    """Makes a report for whoever says "report"."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Begin a report, or do what the bot did before."""
        # recipe
        if spoken_text(turn.activity) == "report":
            await self._outbox.put(turn, "report", data={"part": 1})
            await turn.send_activity("I am on it.")
            return
        # end
        await super().on_message_activity(turn)

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        """Do a part of a report, or say what the queue brought back."""
        # recipe
        if part := (envelope.data or {}).get("part"):
            await turn.send_activity(await work(part))
            if part < PARTS:
                await self._outbox.put(turn, "report", data={"part": part + 1})
            return
        # end
        await super().on_trigger(turn, envelope)
