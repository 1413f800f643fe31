"""Who gets a client for which channel."""

from typing import Any

import pytest

from bot_logic.bot_endpoint import connector
from bot_logic.bot_endpoint.connector import PooledConnectorFactory
from bot_logic.bot_endpoint.credentials import Anonymous
from bot_logic.errors import Refused
from bot_logic.service_urls import ServiceUrls

ALLOWED = "https://smba.trafficmanager.net/{}"


def make_factory() -> PooledConnectorFactory:
    unused: Any = None
    service_urls = ServiceUrls(hosts=("smba.trafficmanager.net",), loopback=False)
    return PooledConnectorFactory(unused, Anonymous(), service_urls)


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


async def test_only_so_many_clients_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "MAX_CHANNELS", 2)
    factory = make_factory()
    first = await factory.create(ALLOWED.format(0))
    for number in (1, 2):
        await factory.create(ALLOWED.format(number))
    assert await factory.create(ALLOWED.format(0)) is not first
