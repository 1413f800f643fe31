"""What an operator sees of a message: its whole trace, on a real OTLP receiver."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from tests.end_to_end.conftest import RunningStack
from tests.functional.otlp_receiver import Receiver, Span, receiving
from tests.resilience.local_direct_line import CONVERSATIONS, LocalDirectLine

SECONDS = 20  # for anything to arrive
TEXT = "a secret wish of Ada's"
THE_WAY = ["turn", "send bot-queue", "process bot-queue", "post trigger", "deliver message"]

T = TypeVar("T")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver(running: RunningStack, tmp_path_factory: Any) -> AsyncIterator[Receiver]:
    """A receiver that the app sends its telemetry to."""
    folder: Path = tmp_path_factory.mktemp("receiver")
    with receiving(folder) as found:
        await running.restart("functions", **found.settings)
        yield found
        await running.restart("functions")


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(SECONDS):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.1)


async def say(direct_line: LocalDirectLine, text: str) -> None:
    """Let a user say something, and wait until it came back."""
    user = {"id": "dl_ada", "name": "Ada Lovelace"}
    started = await direct_line.call("POST", CONVERSATIONS, {"user": user})
    path = f"{CONVERSATIONS}/{started['conversationId']}/activities"
    await direct_line.call("POST", path, {"type": "message", "text": text, "from": user})

    async def came_back() -> bool:
        return text in await direct_line.delivered()

    await eventually(came_back)


def way_of(spans: list[Span]) -> list[str]:
    """The names of spans from the turn to the delivery, each the child of the one before."""
    names, by_parent = [], {(each.parent, each.name): each for each in spans}
    parent = ""
    for name in THE_WAY:
        if found := by_parent.get((parent, name)):
            names.append(name)
            parent = found.id
    return names


async def whole_trace(receiver: Receiver) -> list[Span]:
    async def look() -> list[Span]:
        traces = await asyncio.to_thread(receiver.traces)
        return next((each for each in traces if way_of(each) == THE_WAY), [])

    return await eventually(look)


async def test_make_run_shows_the_trace_of_each_message(
    running: RunningStack, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = ""

    async def look() -> set[str]:
        nonlocal shown
        shown += capsys.readouterr().out
        turns = re.findall(r"trace ([0-9a-f]{32}): turn \d+ ms \(.*send bot-queue", shown)
        returns = re.findall(r"trace ([0-9a-f]{32}): process bot-queue .*call channel", shown)
        return set(turns) & set(returns)

    async with running.direct_line() as direct_line:
        await say(direct_line, TEXT)
    await eventually(look)
    assert TEXT not in "".join(each for each in shown.splitlines() if "functions" in each)


async def test_a_message_is_one_trace_from_the_user_to_the_channel(
    running: RunningStack, receiver: Receiver
) -> None:
    async with running.direct_line() as direct_line:
        await say(direct_line, TEXT)
    spans = await whole_trace(receiver)
    by_name = {each.name: each for each in spans}
    sent, processed = by_name["send bot-queue"], by_name["process bot-queue"]
    assert processed.links == [sent.id]
    assert sent.attributes["messaging.message.id"] == processed.attributes["messaging.message.id"]
    calls = [each.parent for each in spans if each.name == "call channel"]
    assert calls.count(by_name["turn"].id) == 2  # typing, and the acknowledgement
    assert calls.count(by_name["deliver message"].id) == 1


async def test_the_log_events_of_a_message_belong_to_its_trace_and_metrics_come_with_them(
    running: RunningStack, receiver: Receiver
) -> None:
    async with running.direct_line() as direct_line:
        await say(direct_line, TEXT)
    trace_ids = {each.trace for each in await whole_trace(receiver)}

    async def look() -> bool:
        events = await asyncio.to_thread(receiver.events)
        told = {name for trace, name in events if trace in trace_ids}
        has_metrics = await asyncio.to_thread(receiver.has_metrics)
        return told == {"message.queued", "message.ended", "message.handed_over"} and has_metrics

    assert await eventually(look)


async def test_nothing_that_was_said_and_nobody_is_named_in_what_is_told(
    running: RunningStack, receiver: Receiver
) -> None:
    async with running.direct_line() as direct_line:
        await say(direct_line, TEXT)
    await whole_trace(receiver)
    told = await asyncio.to_thread(receiver.everything)
    assert [each for each in (TEXT, "Lovelace", "dl_ada") if each in told] == []
