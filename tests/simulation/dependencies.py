"""What the processes share, as each of them sees it through the weather."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from botbuilder.schema import Activity, ResourceResponse
from botframework.connector.auth import ConnectorFactory

from bot_logic.errors import MessageNotInserted
from bot_logic.storage.memory import MemoryStorage
from bot_logic.storage.protocols import Key, Queue, Row, Storage, StoredRow, Table, Write
from tests.simulation.weather import Fault, Life, Weather, through

STORAGE: Final = (Fault.SLOW, Fault.REFUSED, Fault.LOST_ANSWER, Fault.HANGS, Fault.KILLED)
READS: Final = (Fault.SLOW, Fault.REFUSED, Fault.HANGS, Fault.KILLED)
REPLACE: Final = (*STORAGE, Fault.FROZEN)
DIRECT_LINE: Final = (*STORAGE, Fault.THROTTLED)
CHANNEL: Final = (*DIRECT_LINE, Fault.REFUSED_FOR_GOOD)


def _not_inserted(what: str, _retry_after: int | None) -> MessageNotInserted:
    return MessageNotInserted(what)


class SeenStorage(Storage):
    """The storage account, as one process sees it."""

    def __init__(self, real: MemoryStorage, weather: Weather, life: Life) -> None:
        self._real, self._weather, self._life = real, weather, life

    def queue(self, name: str) -> Queue:
        return SeenQueue(self._real.queue(name), self._weather, self._life)

    def table(self, name: str) -> Table:
        return SeenTable(self._real.table(name), name, self._weather, self._life)

    async def close(self) -> None:
        return


class SeenQueue(Queue):
    def __init__(self, real: Queue, weather: Weather, life: Life) -> None:
        self._real, self._weather, self._life = real, weather, life

    async def put(self, message: str, *, delay: int = 0) -> None:
        await through(
            self._weather,
            self._life,
            "queue.put",
            STORAGE,
            lambda: self._real.put(message, delay=delay),
            error=_not_inserted,
        )

    async def check(self) -> None:
        return


class SeenTable(Table):
    def __init__(self, real: Table, name: str, weather: Weather, life: Life) -> None:
        self._real, self._name, self._weather, self._life = real, name, weather, life

    async def _through(self, call: str, kinds: tuple[Fault, ...], work: Callable[[], Any]) -> Any:
        name = f"table.{self._name}.{call}"
        return await through(self._weather, self._life, name, kinds, work)

    async def read(self, key: Key) -> StoredRow | None:
        found: StoredRow | None = await self._through("read", READS, lambda: self._real.read(key))
        return found

    async def put(self, key: Key, row: Row) -> None:
        await self._through("put", REPLACE, lambda: self._real.put(key, row))

    async def insert(self, key: Key, row: Row) -> str:
        return str(await self._through("insert", STORAGE, lambda: self._real.insert(key, row)))

    async def replace(self, key: Key, row: Row, etag: str) -> str:
        return str(
            await self._through("replace", REPLACE, lambda: self._real.replace(key, row, etag))
        )

    async def delete(self, key: Key, etag: str | None = None) -> None:
        await self._through("delete", STORAGE, lambda: self._real.delete(key, etag))

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._through("transact", STORAGE, lambda: self._real.transact(writes))

    async def rows(self, partition: str | None = None, **more: Any) -> AsyncIterator[StoredRow]:
        await self._through("rows", READS, _nothing)
        async for row in self._real.rows(partition, **more):
            yield row

    async def check(self) -> None:
        return

    async def drop(self) -> None:
        await self._real.drop()


class Channel:
    """What has arrived at the users, and what it cannot be blamed for.

    Attributes:
        arrived: texts by conversation, in order.
        unanswered: what was taken, with an answer that says otherwise.
        sent_by: what was taken, by the process that sent it.
    """

    def __init__(self) -> None:
        self.arrived: defaultdict[str, list[str]] = defaultdict(list)
        self.unanswered: list[str] = []
        self.sent_by: defaultdict[str, list[str]] = defaultdict(list)

    async def take(self, process: str, conversation_id: str, activity: Activity) -> None:
        if activity.text:
            self.arrived[conversation_id].append(activity.text)
            self.sent_by[process].append(self.label(conversation_id, activity))

    def label(self, conversation_id: str, activity: Activity) -> str:  # noqa: ARG002
        """Return what tells one message from all others of the day."""
        return str(activity.text or "")


class SeenChannel(ConnectorFactory):  # type: ignore[misc]
    """The channel, as one process of the bot endpoint sees it."""

    def __init__(self, real: Channel, weather: Weather, life: Life) -> None:
        self._real, self._weather, self._life = real, weather, life

    async def create(self, service_url: str, audience: str | None = None) -> "SeenChannel":  # noqa: ARG002
        return self

    @property
    def conversations(self) -> "SeenChannel":
        return self

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        taken, label = False, self._real.label(conversation_id, activity)

        async def work() -> None:
            nonlocal taken
            await self._real.take(self._life.name, conversation_id, activity)
            taken = True

        try:
            await through(self._weather, self._life, "channel.send", CHANNEL, work)
        except Exception:
            if taken and activity.text:
                self._real.unanswered.append(label)
            raise
        return ResourceResponse(id="1")

    async def reply_to_activity(
        self, conversation_id: str, _activity_id: str, activity: Activity
    ) -> ResourceResponse:
        return await self.send_to_conversation(conversation_id, activity)


async def _nothing() -> None:
    return
