"""Fixtures of the tests that talk to real servers on loopback."""

import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dev import azurite
from local_dev.ports import free_ports
from tests.functional.app_under_test import (
    APP_PASSWORD,
    SECRET,
    SIGNING_KEY,
    AppUnderTest,
    app_under_test,
)
from tests.functional.azurite_process import Azurite, SecureAzurite
from tests.functional.functions_host_process import Host

# A field that a stranger calls "Bearer " is no secret, and hypothesis finds it.
TOKEN = re.compile(r"(Bearer |eyJ)[\w.-]{8}")


@pytest.fixture(scope="session", name="azurite")
def storage_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    emulator = Azurite(tmp_path_factory.mktemp("azurite"))
    with emulator.running():
        yield emulator


@pytest.fixture(scope="session", name="secure_azurite")
def storage_emulator_over_https(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SecureAzurite]:
    """Azurite that takes Entra tokens, too, and speaks https only."""
    emulator = SecureAzurite(tmp_path_factory.mktemp("secure-azurite"))
    with emulator.running():
        yield emulator


@pytest.fixture(autouse=True)
def no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does to the app: no secret, token or signed trigger shows up in a log."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.WARNING, "azure")  # as in the app
    yield
    logged = "".join(record.getMessage() for record in caplog.get_records("call"))
    for secret in (SECRET, SIGNING_KEY, APP_PASSWORD, azurite.KEY):
        assert secret not in logged
    assert not TOKEN.search(logged)


@pytest.fixture
async def app(azurite: Azurite) -> AsyncIterator[AppUnderTest]:
    """The app, anonymous as in a local run."""
    async with app_under_test(azurite.connection_string) as running_app:
        yield running_app


@pytest.fixture
async def registered_app(azurite: Azurite) -> AsyncIterator[AppUnderTest]:
    """The app with an app id: every request between bot and channel carries a token."""
    async with app_under_test(azurite.connection_string, registered=True) as running_app:
        yield running_app


@pytest.fixture
def host(azurite: Any, tmp_path: Path) -> Iterator[Host]:
    """A host that the test starts itself, with a queue."""
    with_queue = Host(azurite, tmp_path, free_ports(1)[0])
    with_queue.create_queue()
    yield with_queue
    with_queue.kill()


@pytest.fixture(scope="module", params=["auto", "converters"])
def web(
    azurite: Any, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Host]:
    """A running host, shared by the tests of HTTP."""
    running = Host(azurite, tmp_path_factory.mktemp("web"), free_ports(1)[0])
    running.start("--loader", request.param)
    yield running
    running.kill()
