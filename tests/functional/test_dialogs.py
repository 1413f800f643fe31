"""Dialogs over Azurite: an order survives restarts between its steps."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from bot_logic.bot_endpoint import STATE
from bot_logic.bot_endpoint.state import StateConflict, TableStorage
from examples.order_bot import OrderBot
from tests.functional.app_under_test import AppUnderTest


async def test_an_order_goes_on_after_a_restart_between_its_steps(app: AppUnderTest) -> None:
    await app.rewire(make_bot=OrderBot)
    ada = await app.user()
    for count, (said, answer) in enumerate(
        [
            ("order", "Which pizza would you like?"),
            ("sushi", "We do not have that one."),
            ("Funghi", "One Funghi. Shall I order it?"),
            ("yes", "One Funghi is ordered. I tell you when it is ready."),
        ],
        2,
    ):
        await ada.says(said)
        assert answer in (await ada.hears(count))[-1]
        await app.restart()
    assert await app.run_worker() == 1
    assert (await ada.hears(6))[-1] == "🍕 Your Funghi is ready."


async def test_of_five_messages_at_once_each_is_a_step_or_said_to_have_failed(
    app: AppUnderTest,
) -> None:
    await app.rewire(make_bot=OrderBot)
    ada = await app.user()
    answers = await asyncio.gather(*(ada.says("order") for _ in range(5)))
    statuses = {answer.status for answer in answers}
    assert 200 in statuses
    assert statuses <= {200, 502}
    heard = len(await ada.hears(1))
    await ada.says("Diavola")
    assert "One Diavola. Shall I order it?" in (await ada.hears(heard + 1))[-1]


@pytest.fixture
def storage(app: AppUnderTest) -> TableStorage:
    return TableStorage(app.wiring.storage.table(STATE))


@pytest.mark.parametrize("etag", ["*", None])
async def test_a_star_or_none_overwrites_as_the_sdks_storages_do(
    storage: TableStorage, etag: Any
) -> None:
    key = str(uuid4()) + '!@#$%^&*()_+??><":QASD~`'
    await storage.write({key: {"count": 1, "e_tag": etag}})
    await storage.write({key: {"count": 2, "e_tag": etag}})
    assert (await storage.read([key]))[key]["count"] == 2


@pytest.mark.parametrize("item", [{"count": 3}, {"count": 3, "e_tag": ""}])
async def test_an_item_that_was_never_read_overwrites_nothing(
    storage: TableStorage, item: dict[str, Any]
) -> None:
    key = str(uuid4())
    await storage.write({key: {"count": 1}})
    with pytest.raises(StateConflict):
        await storage.write({key: item})
    assert (await storage.read([key]))[key]["count"] == 1


async def test_an_old_etag_is_refused_and_what_is_not_there_is_not_read(
    storage: TableStorage,
) -> None:
    key, other = str(uuid4()), str(uuid4())
    await storage.write({key: {"count": 1}})
    old = (await storage.read([key, other]))[key]
    await storage.write({key: old | {"count": 2}})
    with pytest.raises(StateConflict):
        await storage.write({key: old | {"count": 3}})
    await storage.delete([key, other])
    assert await storage.read([key, other]) == {}


async def test_no_keys_and_no_changes_are_refused_as_the_sdks_storages_do(
    storage: TableStorage,
) -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match="Keys are required when reading"):
        await storage.read(nothing)
    with pytest.raises(TypeError, match="Changes are required when writing"):
        await storage.write(nothing)
    await storage.write({})
