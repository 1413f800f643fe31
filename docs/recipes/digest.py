"""Timer digest: at 16:00 UTC on workdays, what could not be delivered, to who follows `operators`.

cp docs/recipes/digest.py bot_logic/functions.py
"""

import azure.functions as func

from bot_logic.startup import wiring

own = func.Blueprint()  # type: ignore[no-untyped-call]


# recipe
@own.timer_trigger("timer", "0 0 16 * * 1-5")  # second, minute, hour, day, month, day of the week
async def digest(timer: func.TimerRequest) -> None:
    """Say it once a day, even if the timer comes twice."""
    count = len([letter async for letter in wiring().delivery.dead_letters.all()])
    text = f"Not delivered so far: {count}. make dead-letters lists them."
    notifier = wiring().notifier
    await notifier.send({"topic": "operators"}, text, key=f"digest-{notifier.now():%F}")


# end
