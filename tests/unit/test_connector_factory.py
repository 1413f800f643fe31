"""Who gets a client for which channel."""

from typing import Any

import pytest

from bot_logic.addresses import ServiceUrls
from bot_logic.bot_endpoint.sdk.connector import MAX_CHANNELS, PooledConnectorFactory
from bot_logic.bot_endpoint.sdk.credentials import Anonymous
from bot_logic.errors import Refused

ALLOWED = "https://smba.trafficmanager.net/{}"


def make_factory(max_channels: int = MAX_CHANNELS) -> PooledConnectorFactory:
    unused: Any = None
    service_urls = ServiceUrls(hosts=("smba.trafficmanager.net",), loopback=False)
    return PooledConnectorFactory(unused, Anonymous(), service_urls, max_channels)


async def test_a_channels_client_is_made_once() -> None:
    factory = make_factory()
    client = await factory.create(ALLOWED.format("emea"))
    assert await factory.create(ALLOWED.format("emea")) is client
    assert await factory.create(ALLOWED.format("amer")) is not client


async def test_a_channel_that_is_not_allowed_is_refused_each_time() -> None:
    factory = make_factory()
    for _ in range(2):
        with pytest.raises(Refused, match=r"evil\.example"):
            await factory.create("https://evil.example/emea")


async def test_only_so_many_clients_are_kept() -> None:
    factory = make_factory(max_channels=2)
    first = await factory.create(ALLOWED.format(0))
    for number in (1, 2):
        await factory.create(ALLOWED.format(number))
    assert await factory.create(ALLOWED.format(0)) is not first
