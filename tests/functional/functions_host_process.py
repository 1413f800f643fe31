"""The local Functions host as a process of the tests' own, with a copy of the sample app."""

import base64
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

ROOT = Path(__file__).parents[2]
SAMPLE_APP = Path(__file__).parent / "sample_app"
SECONDS = 20  # any wait that takes longer than this has failed

T = TypeVar("T")


class Host:
    """A host process, its app (a copy of the sample, to change at will) and its queue."""

    def __init__(self, azurite: Any, folder: Path, port: int) -> None:
        self.app_dir, self.port = folder / "app", port
        self.queue_name = f"q{uuid.uuid4().hex}"
        self.connection_string = azurite.connection_string
        self._records, self._log = folder / "records.jsonl", folder / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copytree(SAMPLE_APP, self.app_dir, ignore=shutil.ignore_patterns("__pycache__"))
        self.values = {
            "WorkStorage": azurite.connection_string,
            "WorkQueue": self.queue_name,
            "WorkSchedule": "0 0 0 1 1 *",
            "RECORD_FILE": str(self._records),
        }
        self.settings: dict[str, Any] = {"IsEncrypted": False}

    def change_queue_settings(self, **settings: Any) -> None:
        host_json = json.loads((self.app_dir / "host.json").read_text())
        host_json["extensions"]["queues"] |= settings
        (self.app_dir / "host.json").write_text(json.dumps(host_json))

    def launch(self, *options: str, python: str = sys.executable, **environment: str) -> None:
        settings = {"Values": self.values, **self.settings}
        (self.app_dir / "local.settings.json").write_text(json.dumps(settings))
        command = [python, "-m", "local_dev.functions_host", "--app", str(self.app_dir)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), *options],
                cwd=ROOT,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
                stderr=log,
            )

    def start(self, *options: str, **more: str) -> None:
        self.launch(*options, **more)
        eventually(lambda: "loaded by" in self.log() or self._running().poll() is not None)
        assert self._running().poll() is None, self.log()

    def send_signal(self, number: signal.Signals) -> None:
        self._running().send_signal(number)

    def exit_code(self) -> int:
        return self._running().wait(SECONDS)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)

    def log(self) -> str:
        return self._log.read_text()

    def records(self) -> list[Any]:
        lines = self._records.read_text().splitlines() if self._records.exists() else []
        return [json.loads(line) for line in lines]

    def started(self) -> list[Any]:
        return [record for record in self.records() if "id" in record]

    def ticks(self) -> list[Any]:
        return [record for record in self.records() if "tick" in record]

    def done(self) -> list[Any]:
        return [record for record in self.records() if "done" in record]

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = self.begin_request(method, path, body, **headers)
        try:
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return response.status, names, response.read()
        finally:
            connection.close()

    def begin_request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        return connection

    def queue(self, suffix: str = "") -> QueueClient:
        return QueueClient.from_connection_string(self.connection_string, self.queue_name + suffix)

    def put(self, body: dict[str, Any] | str, *, raw: bool = False) -> str:
        """Put a message on the queue; return its id."""
        text = body if isinstance(body, str) else json.dumps(body)
        content = text if raw else base64.b64encode(text.encode()).decode()
        with self.queue() as queue:
            return str(queue.send_message(content).id)

    def create_queue(self) -> None:
        with self.queue() as queue:
            queue.create_queue()

    def left(self, suffix: str = "") -> int:
        """Count the messages of a queue, hidden ones included; a missing queue has none."""
        with self.queue(suffix) as queue:
            try:
                return queue.get_queue_properties().approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


def eventually(condition: Callable[[], T], seconds: float = SECONDS) -> T:
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return result
