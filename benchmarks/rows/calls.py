"""HTTP calls from the worker to the user, for each message; counted where they arrive."""

from collections.abc import Collection

from benchmarks.activities import answers
from benchmarks.outcome import Outcome, Series, compared
from benchmarks.plan import Plan
from benchmarks.triggers import DELIVERED
from benchmarks.turns import check_said
from benchmarks.users import text_of
from benchmarks.whole_app import whole_app

OLD_TEMPLATE = 4.0  # calls a message, and one more for each new conversation


async def measure(_keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The row "calls"; the first message, which starts the worker's conversation, apart."""
    async with whole_app() as app:
        for number in range(plan.messages + 1):
            await app.enqueue(number)
            await app.wiring.deliver(await app.take())
            if number == 0:
                first = dict(app.direct_line.calls) | {"bot to channel": len(app.channel)}
                app.direct_line.calls.clear()
                app.channel.forget()
        numbers = range(1, plan.messages + 1)
        check_said(app.channel, answers(numbers, lambda n: DELIVERED + text_of(n)), "ours")
        calls = dict(app.direct_line.calls) | {"bot to channel": len(app.channel)}
    ours = Series("ours", "calls a message", [sum(calls.values()) / plan.messages])
    old = Series("old template", "calls a message", [OLD_TEMPLATE])
    more = {"messages": plan.messages, "calls": calls, "calls_of_the_first_message": first}
    return [compared("calls", ours, old, more)]
