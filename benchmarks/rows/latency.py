"""From the queue to the user in an idle app, beside the sum of its parts, each measured alone.

The host's polling is left out: it waits for as long as host.json lets it.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from statistics import median
from typing import Self

import aiohttp
import azure.functions as func
from aiohttp import web

from benchmarks.direct_line import passing_direct_line, serving_app
from benchmarks.ours.functions_server import route
from benchmarks.outcome import Outcome, Series, WrongWork, compared
from benchmarks.plan import Plan
from benchmarks.settings import SETTINGS
from benchmarks.storage import ReceivedMessage
from benchmarks.users import conversation_of
from benchmarks.whole_app import WholeApp, whole_app
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring

TIMES = 10  # each is measured as often as the plan has messages, divided by this
MS = 1000.0  # in a second

_WHOLE = "all of it"

Once = Callable[[int], Awaitable[float]]


async def measure(_keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The row "latency"."""
    wholes: list[float] = []
    sums: list[float] = []
    parts: dict[str, list[float]] = {}
    times = max(plan.messages // TIMES // plan.rounds, 2)
    async with whole_app() as app, Parts(app) as alone:
        for number_of_round in range(plan.rounds):
            first = number_of_round * times
            once = {_WHOLE: _whole(app), **alone.all()}
            measured = await _medians_ms(once, range(first, first + times))
            wholes.append(measured.pop(_WHOLE))
            sums.append(sum(measured.values()))
            for name, value in measured.items():
                parts.setdefault(name, []).append(value)
    ours, other = Series("ours", "ms", wholes), Series("parts", "ms", sums)
    more = {name: Series("parts", "ms", values).to_json() for name, values in parts.items()}
    return [compared("latency", ours, other, more)]


async def _medians_ms(once: Mapping[str, Once], numbers: range) -> dict[str, float]:
    """Each in turns with the others, so that what else the machine does slows all."""
    for each in once.values():
        await each(numbers.start + 1_000_000)  # opens connections; does not count
    rounds = [{name: await each(number) for name, each in once.items()} for number in numbers]
    return {name: median(one[name] for one in rounds) * MS for name in once}


def _whole(app: WholeApp) -> Once:
    async def once(number: int) -> float:
        started = time.perf_counter()
        await app.enqueue(number)
        enqueued = time.perf_counter() - started
        message = await app.take()
        app.channel.forget()
        started = time.perf_counter()
        await app.wiring.deliver(message)
        if len(app.channel) != 1:
            raise WrongWork(f"message {number} arrived {len(app.channel)} times")
        return enqueued + app.channel.arrived_at - started

    return once


class Parts(AsyncExitStack):
    """Everything a message passes, one by one, with nothing behind it."""

    def __init__(self, app: WholeApp) -> None:
        super().__init__()
        self._app = app

    async def __aenter__(self) -> Self:
        """Start a Direct Line without a bot, and a bot that does nothing."""
        await super().__aenter__()
        _, url = await self.enter_async_context(passing_direct_line(self._app.service_url))
        settings = {"AzureWebJobsStorage": self._app.connection, "DirectLineEndpoint": url}
        self._wiring = Wiring(Settings.from_environment(SETTINGS | settings))
        self.push_async_callback(self._wiring.close)
        server = web.Application()
        server.router.add_post("/", route(_nothing))
        self._bot = await self.enter_async_context(serving_app(server))
        self._session = await self.enter_async_context(aiohttp.ClientSession())
        return self

    def all(self) -> Mapping[str, Once]:
        """Each part by its name; what comes after the user has the message is none."""
        return {
            "queue put": self._put,
            "worker's post to Direct Line": self._work,
            "Direct Line's post to the bot": self._hop,
            "claim in the table": self._claim,
            "post to the channel": self._post,
        }

    async def _put(self, number: int) -> float:
        message = self._app.message(number)
        started = time.perf_counter()
        await self._app.wiring.queue.put(message)
        seconds = time.perf_counter() - started
        await self._app.take()
        return seconds

    async def _work(self, number: int) -> float:
        message = ReceivedMessage(str(number), self._app.message(number).encode())
        started = time.perf_counter()
        await self._wiring.deliver(message)
        return time.perf_counter() - started

    async def _hop(self, number: int) -> float:
        activity = self._app.direct_line.as_sent(
            {"type": "event", "value": self._app.message(number)}
        )
        started = time.perf_counter()
        async with self._session.post(self._bot, json=activity) as answer:
            await answer.read()
        return time.perf_counter() - started

    async def _claim(self, number: int) -> float:
        row = {"state": "claimed", "since": "0"}
        started = time.perf_counter()
        await self._wiring.deliveries_table.insert(f"alone-{number}-{time.time_ns()}", row)
        return time.perf_counter() - started

    async def _post(self, number: int) -> float:
        url = f"{self._app.service_url}/v3/conversations/{conversation_of(number)}/activities"
        activity = self._app.direct_line.as_sent({"type": "message", "text": "alone"})
        started = time.perf_counter()
        async with self._session.post(url, json=activity) as answer:
            await answer.read()
        return self._app.channel.arrived_at - started


async def _nothing(_request: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse()
