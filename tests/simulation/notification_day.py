"""A bad day on which the bot notifies many: planning, pumps and pages in that weather."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from botbuilder.schema import Activity

from bot_logic.conversations.audiences import Lane
from bot_logic.errors import BadRequest, ProactiveBotError
from bot_logic.notifications import NOTIFICATIONS
from bot_logic.notifications import QUEUE_NAME as WAKE_UPS
from bot_logic.notifications.orders import Report, Request
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.page import Page, page_key
from bot_logic.storage.protocols import Key, RowConflict
from bot_logic.wiring import Wiring
from tests import virtual_time
from tests.simulation.bad_day import MOST_FAULTS, PATIENCE, BadDay, Process
from tests.simulation.dependencies import Channel

PEOPLE: Final = 40
TENANTS: Final = ("", "a tenant")
TIMER: Final = 300.0  # seconds
EVERYONE: Final = {"all": True, "at_most": PEOPLE}
LIFETIME: Final = 24 * 3600  # seconds
MAY_END_AS: Final = {Outcome.SENT, Outcome.REFUSED, Outcome.TOO_MANY_ATTEMPTS, Outcome.CANCELLED}


class Crowd(Channel):
    """A channel of many people who are told the same."""

    def label(self, conversation_id: str, activity: Activity) -> str:
        return f"{activity.text} to {conversation_id}"


class NotificationDay(BadDay):
    """Sends some notifications to everyone, and cancels one or another."""

    def new_channel(self) -> Channel:
        return Crowd()

    async def begin(self) -> None:
        self._ordered: dict[str, str] = {}  # notification id by text
        self._places: dict[str, str] = {}  # conversation by the recipient's key
        await self._meet_everyone()
        self.spawn(self._timer())
        self._wanted = self.dice.randint(1, 3)
        for number in range(self._wanted):
            self.spawn(self._order(f"news {number}"))

    def functions(self, process: Process) -> dict[str, Any]:
        self._worker = process
        return {WAKE_UPS: process.wiring.wake_ups.take}

    def is_noted(self, text: str) -> bool:
        news, _, conversation = text.partition(" to ")
        pages = self._pages(self._ordered.get(news, ""))
        return any(
            each.outcome == Outcome.SENT and self._places[each.key] == conversation
            for page in pages
            for each in page.recipients
        )

    def _pages(self, notification_id: str) -> Iterator[Page]:
        """Yield the pages as they stand, past the weather; each tenant's first is all there is."""
        table = self.storage.table(NOTIFICATIONS)
        for number in range(len(TENANTS)):
            for tenant in TENANTS:
                key = Key(notification_id, page_key(Lane("test", tenant), number))
                if (row := table.peek(key)) is not None:
                    yield Page.of(row.columns)

    async def _meet_everyone(self) -> None:
        """Let the bot know everybody, before the weather turns bad."""
        settings = self.endpoints[0].wiring.settings
        calm = Wiring(settings, storage=self.storage, clock=self.clock)
        for number in range(PEOPLE):
            tenant = TENANTS[number % len(TENANTS)]
            await calm.conversations.remember(
                {
                    "channelId": "test",
                    "serviceUrl": "http://localhost:3000",
                    "conversation": {
                        "id": f"c{number}",
                        **({"tenantId": tenant} if tenant else {}),
                    },
                    "user": {"id": f"u{number}"},
                    "bot": {"id": "bot"},
                }
            )
        for partition in await calm.notifications.planner.partitions(EVERYONE):
            async for member in calm.conversations.audiences.members(partition):
                self._places[member.place] = member.conversation[1]
        await calm.close()

    async def _timer(self) -> None:
        while True:
            await asyncio.sleep(TIMER)
            await self._tried(self._worker.wiring.wake_ups.wake_what_waits())

    async def _order(self, text: str) -> None:
        """Another program wants a notification, and says so until it is taken."""
        await asyncio.sleep(self.dice.uniform(0, 60))
        taken = None
        now = int(self.clock.now())
        at = now + self.dice.choice((0, 0, 20))
        request = Request(EVERYONE, {"type": "message", "text": text}, at, at + LIFETIME)
        while taken is None:
            orders = self.dice.choice(self.endpoints).wiring.notifications.orders
            taken = await self._tried(orders.take(request, text))
        self._ordered[text] = taken.id
        if self.dice.random() < 0.2:
            await asyncio.sleep(self.dice.uniform(0, 20))
            await self._tried(self.endpoints[0].wiring.notifications.orders.cancel(taken.id))

    async def _tried(self, work: Any) -> Any:
        """Return what some work comes to, or None if it fails or its process is gone."""
        task = self.spawn(work)
        done, _ = await asyncio.wait({task}, timeout=20)
        if not done or isinstance(task.exception(), ProactiveBotError | BadRequest | RowConflict):
            return None
        return task.result()

    async def until_calm(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < PATIENCE:
            at_work = [each for each in (await self._reports()).values() if each.state == "sending"]
            if len(self._ordered) == self._wanted and not at_work:
                break
            await asyncio.sleep(60)
        await asyncio.sleep(2 * TIMER)  # whoever is still at it ends

    async def _reports(self) -> dict[str, Report]:
        orders = self.endpoints[0].wiring.notifications.orders
        found = {text: await orders.report(each) for text, each in list(self._ordered.items())}
        return {text: report for text, report in found.items() if report is not None}

    async def evening(self) -> list[str]:
        reports = await self._reports()
        found = [f"{text} was lost" for text in self._ordered.keys() - reports.keys()]
        for text, report in reports.items():
            found.extend(self._wrong_in(text, report))
        return found

    def _wrong_in(self, text: str, report: Report) -> Iterator[str]:
        if report.state not in ("done", "cancelled"):
            yield f"{text} is {report.state} for ever"
        if report.state == "done" and sum(report.counts.values()) != PEOPLE:
            yield f"{text} has {dict(report.counts)}, of {PEOPLE}"
        if odd := {name for name, count in report.counts.items() if count} - MAY_END_AS:
            yield f"{text} ended as {odd}"
        excuses = self.excused + Counter(self.channel.unanswered)
        outcomes = {
            self._places[each.key]: each.outcome
            for page in self._pages(self._ordered[text])
            for each in page.recipients
        }
        for conversation, outcome in outcomes.items():
            came = self.channel.arrived[conversation].count(text)
            label = f"{text} to {conversation}"
            if came > 1 + excuses[label]:
                yield f"{label} came {came} times, {1 + excuses[label]} excused"
            if (outcome == Outcome.SENT) != bool(came) and not (came and excuses[label]):
                yield f"{label} is {outcome} and came {came} times"


def live(seed: int, most: int = MOST_FAULTS) -> tuple[NotificationDay, list[str]]:
    """Run the day of a seed; return it, and what is wrong in its evening."""
    day = NotificationDay(seed, most)
    return day, virtual_time.run(day.run())
