"""Fixtures of the tests that talk to real servers on loopback."""

import logging
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

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

START_SECONDS = 30


class Azurite:
    """A storage emulator that can be stopped and started again, keeping its data."""

    def __init__(self, location: Path) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.blob_port, self.queue_port, self.table_port = free_ports(3)
        ports = (self.blob_port, self.queue_port, self.table_port)
        self.connection_string = azurite.connection_string(*ports)
        self._command = azurite.command(location, *ports)

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for port in (self.blob_port, self.queue_port, self.table_port):
            self._wait_for(port)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
            self._process = None

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or not self._process or self._process.poll():
                    raise
                time.sleep(0.05)
            else:
                return


@pytest.fixture(scope="session", name="azurite")
def storage_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    if not azurite.PROGRAM.exists():
        reason = f"Azurite is not installed: no {azurite.PROGRAM}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    emulator = Azurite(tmp_path_factory.mktemp("azurite"))
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture(autouse=True)
def no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does to the app: no secret, token or signed trigger shows up in a log."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.WARNING, "azure")  # as in the app
    yield
    logged = "".join(record.getMessage() for record in caplog.get_records("call"))
    for secret in (SECRET, SIGNING_KEY, APP_PASSWORD, azurite.KEY, "Bearer ", "eyJ"):
        assert secret not in logged


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
