"""Two queue listeners behind one face: Microsoft's own, and the local Functions host's."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from local_dev.programs import Running
from tests.functional import real_listener
from tests.functional.functions_host_process import Host

PATIENCE = 30  # seconds


@dataclass(frozen=True)
class Call:
    """What a function was called with."""

    message_id: str
    text: str
    dequeue_count: int


class Listener(Protocol):
    """Feeds a function that fails where its message says `"fail": true`."""

    def calls(self) -> list[Call]:
        """Return the calls so far, in order."""

    async def ends(self) -> None:
        """Wait until it ends by itself."""


@dataclass
class RealListener:
    """Microsoft's listener, with the function in this process."""

    seen: list[Call] = field(default_factory=list)
    program: Running | None = None

    def calls(self) -> list[Call]:
        return list(self.seen)

    async def ends(self) -> None:
        while self.program is None or self.program.exit_code is None:  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.1)

    async def function(self, message: Any) -> None:
        text = message.get_body().decode()
        self.seen.append(Call(message.id, text, message.dequeue_count))
        if '"fail": true' in text:
            raise RuntimeError("made to fail")


@dataclass
class StandIn:
    """The local Functions host, with the function of the sample app."""

    host: Host
    before: int  # calls, of one that has ended

    def calls(self) -> list[Call]:
        calls = [Call(r["id"], r["body"], r["dequeue_count"]) for r in self.host.started()]
        return calls[self.before :]

    async def ends(self) -> None:
        while self.host.runs():  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.1)


@asynccontextmanager
async def listening(
    kind: str, host: Host, settings: Mapping[str, Any], folder: Path
) -> AsyncIterator[Listener]:
    """Run a listener of this kind on the host's queue, with these settings of host.json."""
    host.change_queue_settings(**settings)
    if kind == "stand-in":
        host.values["WorkDataType"] = "BINARY"
        before = len(host.started())
        await asyncio.to_thread(host.start, "--end-on-storage-trouble")
        yield StandIn(host, before)
        await asyncio.to_thread(host.kill)
        return
    host_json = folder / "host.json"
    host_json.write_text((host.app_dir / "host.json").read_text())
    real = RealListener()
    functions = {host.queue_name: real.function}
    async with (
        real_listener.in_this_process(functions) as callback,
        real_listener.listening(host.connection_string, functions, callback, host_json) as program,
    ):
        real.program = program
        yield real


async def until(condition: Any) -> None:
    """Wait until a condition holds, or fail."""
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.1)
