"""No message is delivered twice without cause."""

import uuid
from typing import Any

import pytest

from tests.expected import proactive_pattern
from tests.functional.app_under_test import AppUnderTest, ReceivedMessage
from tests.functional.messages import plain_message


async def said_by_the_trigger(user: Any) -> int:
    said = await proactive_pattern()
    return sum(said.fullmatch(text) is not None for text in await user.hears(1))


async def test_the_same_message_twice_on_the_queue_is_delivered_once(app: AppUnderTest) -> None:
    ada = await app.user()
    await ada.says("hello")
    (message,) = await app.queued()
    await app.enqueue(message)
    assert await app.run_worker() == 2
    assert await said_by_the_trigger(ada) == 1


async def test_a_queue_message_handed_out_twice_is_delivered_once(app: AppUnderTest) -> None:
    ada = await app.user()
    message = ReceivedMessage(uuid.uuid4().hex, plain_message(ada))
    await app.wiring.worker.handle(message)
    await app.wiring.worker.handle(message)
    assert await said_by_the_trigger(ada) == 1


@pytest.mark.parametrize("status", [502, 504])
async def test_a_failure_reported_after_the_bot_did_its_work_does_not_double(
    app: AppUnderTest, status: int
) -> None:
    ada = await app.user()
    await ada.says("hello")
    app.fail("post_activity", status, after=True, headers={"Retry-After": "0"}, times=2)

    async def settled() -> bool:
        return await app.waiting() == 0

    await app.run_worker_until(settled)
    assert await said_by_the_trigger(ada) == 1
    assert await app.dead_letters() == []
