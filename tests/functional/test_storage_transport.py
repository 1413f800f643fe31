"""The connections on which storage is reached."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.secret import Secret
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.location import SharedKey, StorageLocation
from bot_logic.storage.protocols import Key
from local_dev.azurite import ACCOUNT, KEY

KEEP_ALIVE = 0.1  # seconds

Call = Callable[[StorageAccount], Awaitable[object]]


@dataclass
class Service:
    """Takes everything, and notes the ports that it was called from."""

    ports: list[int] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({"value": []})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def account(service: Service) -> AsyncIterator[StorageAccount]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.handle)
    async with TestServer(app) as server:
        url = str(server.make_url("/account"))
        location = StorageLocation(url, url, SharedKey(ACCOUNT, Secret(KEY)))
        account = StorageAccount(location, keep_alive=KEEP_ALIVE)
        yield account
        await account.close()


async def our_own(account: StorageAccount) -> None:
    await account.queue("queue").put("hello")
    await account.table("table").put(Key("p", "r"), {"data": "1"})


async def the_packages(account: StorageAccount) -> None:
    await account.table("table").check()


CALLS = pytest.mark.parametrize("call", [our_own, the_packages])


@CALLS
async def test_calls_in_close_succession_share_a_connection(
    account: StorageAccount, service: Service, call: Call
) -> None:
    await call(account)
    await call(account)
    assert len(set(service.ports)) == 1 < len(service.ports)


async def test_our_own_calls_and_the_packages_share_a_connection(
    account: StorageAccount, service: Service
) -> None:
    await our_own(account)
    await the_packages(account)
    assert len(set(service.ports)) == 1


@CALLS
async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    account: StorageAccount, service: Service, call: Call
) -> None:
    await call(account)
    await asyncio.sleep(3 * KEEP_ALIVE)
    await call(account)
    assert service.ports[-1] != service.ports[0]
