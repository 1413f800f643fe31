"""Wake-ups: garbage is dropped, and one that a pump has died of comes again."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.notifications import LANES
from bot_logic.notifications import QUEUE_NAME as WAKE_UPS
from bot_logic.queue_worker.lanes.pump import LEASE
from bot_logic.storage.protocols import Key
from bot_logic.testing import BotUnderTest


@dataclass(frozen=True)
class Message:
    body: bytes
    dequeue_count: int | None = 1
    id: str = "m1"

    def get_body(self) -> bytes:
        return self.body


def of_lane(dequeue_count: int) -> Message:
    return Message(json.dumps({"lane": "abc"}).encode(), dequeue_count)


async def held_by_another(bot: BotUnderTest) -> None:
    lease = {"owner": "another", "until": int(bot.clock.now() + LEASE), "pausedUntilMs": 0}
    await bot.storage.table(LANES).put(Key("abc", "lease"), lease)


@given(
    st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
        lambda value: json.dumps({"lane": value, "plan": value}).encode()
    )
    | st.sampled_from([b"{}", b"[]", b'{"plan": 7}', b'{"lane": null}', b'{"plan": "nobody"}'])
)
async def test_garbage_is_dropped(body: bytes) -> None:
    async with BotUnderTest() as bot:
        await bot.wake(Message(body))
        assert bot.storage.queue(WAKE_UPS).texts == []


@pytest.mark.parametrize(("dequeue_count", "comes_again"), [(1, 0), (2, 1), (5, 1)])
async def test_what_a_pump_may_have_died_of_comes_again_after_its_lease(
    dequeue_count: int, comes_again: int
) -> None:
    async with BotUnderTest() as bot:
        await held_by_another(bot)
        await bot.wake(of_lane(dequeue_count))
        queue = bot.storage.queue(WAKE_UPS)
        assert len(queue.texts) == comes_again
        assert queue.receive() == []
        bot.clock.advance(LEASE)
        assert len(queue.receive()) == comes_again
