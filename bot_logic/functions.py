"""Functions of your own: timers, webhooks. Edit this file as you like; docs/recipes/ has examples.

@own.timer_trigger("timer", "0 0 9 * * 1-5")  # on weekdays at nine, UTC
async def say_good_morning(timer: func.TimerRequest) -> None:
    await wiring().notifier.send({"topic": "mornings"}, "Good morning!")
"""

import azure.functions as func

from bot_logic.startup import wiring

own = func.Blueprint()  # type: ignore[no-untyped-call]
