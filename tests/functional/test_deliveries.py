"""No message is delivered twice without cause."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot_logic import deliveries as deliveries_module
from bot_logic.deliveries import Deliveries
from bot_logic.errors import Refused, ServiceUnavailable
from bot_logic.settings import Secret
from bot_logic.table import Table
from tests.functional.app_under_test import AppUnderTest, ReceivedMessage
from tests.functional.conftest import Azurite
from tests.functional.test_queue_worker import plain_message


@pytest.fixture
async def deliveries(azurite: Azurite) -> AsyncIterator[Deliveries]:
    table = Table(Secret(azurite.connection_string), "deliveriestest")
    await table._client.delete_table()
    yield Deliveries(table)
    await table.close()


class Sending:
    """A delivery that can be watched, held up and made to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times, self.error, self.may_end = 0, error, asyncio.Event()
        self.may_end.set()
        self.started = asyncio.Event()

    async def __call__(self) -> None:
        self.times += 1
        self.started.set()
        await self.may_end.wait()
        if self.error:
            raise self.error


async def test_a_message_is_sent_once(deliveries: Deliveries) -> None:
    sending = Sending()
    assert await deliveries.once("m1", sending)
    assert not await deliveries.once("m1", sending)
    assert await deliveries.once("m2", sending)
    assert sending.times == 2


async def test_while_one_attempt_is_under_way_another_is_told_to_come_again(
    deliveries: Deliveries,
) -> None:
    sending = Sending()
    sending.may_end.clear()
    first = asyncio.create_task(deliveries.once("m1", sending))
    await sending.started.wait()
    with pytest.raises(ServiceUnavailable, match="under way"):
        await deliveries.once("m1", sending)
    sending.may_end.set()
    assert await first
    assert sending.times == 1


@pytest.mark.parametrize("error", [ServiceUnavailable("busy"), Refused("never")])
async def test_a_delivery_that_failed_may_be_tried_again(
    deliveries: Deliveries, error: Exception
) -> None:
    sending = Sending(error)
    with pytest.raises(type(error)):
        await deliveries.once("m1", sending)
    sending.error = None
    assert await deliveries.once("m1", sending)
    assert sending.times == 2


async def test_what_a_crash_left_claimed_is_sent_when_the_claim_has_run_out(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = Sending()
    sending.may_end.clear()
    crashing = asyncio.create_task(deliveries.once("m1", sending))
    await sending.started.wait()
    crashing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await crashing
    sending.may_end.set()
    with pytest.raises(ServiceUnavailable, match="under way"):
        await deliveries.once("m1", sending)
    monkeypatch.setattr(deliveries_module, "CLAIM_LASTS", 0)
    assert await deliveries.once("m1", sending)


async def test_what_could_not_be_noted_is_not_sent_again_by_this_process(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ServiceUnavailable("the table is down")

    sending = Sending()
    with monkeypatch.context() as down:
        down.setattr(deliveries._table, "put", fails)
        assert await deliveries.once("m1", sending)
    assert not await deliveries.once("m1", sending)
    assert sending.times == 1


async def test_many_at_once_send_once(deliveries: Deliveries) -> None:
    sending = Sending()
    outcomes = await asyncio.gather(
        *(deliveries.once("m1", sending) for _ in range(10)), return_exceptions=True
    )
    assert outcomes.count(True) == 1
    assert sending.times == 1


async def said_by_the_trigger(user: Any) -> int:
    return sum("from the trigger" in text for text in await user.hears(1))


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
    await app.wiring.deliver(message)
    await app.wiring.deliver(message)
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
