"""The local Functions host as a process of the tests' own, with a copy of the sample app."""

import base64
import http.client
import json
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from local_dev.programs import Program, Running
from local_dev.readiness import printing

SAMPLE_APP = Path(__file__).parent / "sample_app"
READY = printing("loaded by")
SECONDS = 20  # any wait that takes longer than this has failed

T = TypeVar("T")


class Host:
    """A host process, its app (a copy of the sample, to change at will) and its queue."""

    def __init__(self, azurite: Any, folder: Path, port: int) -> None:
        self.app_dir, self.port = folder / "app", port
        self.queue_name = f"q{uuid.uuid4().hex}"
        self.connection_string = azurite.connection_string
        self._records = folder / "records.jsonl"
        self._running: Running | None = None
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
        command += ["--port", str(self.port), *options]
        environment = {"PYTHONDONTWRITEBYTECODE": "1", **environment}
        self._running = Running(Program("host", command, READY, environment))

    def start(self, *options: str, **more: str) -> None:
        self.launch(*options, **more)
        self._process.until(READY)

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send(number)

    def runs(self) -> bool:
        return self._process.exit_code is None

    def exit_code(self) -> int:
        return self._process.ends(SECONDS)

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()

    def log(self) -> str:
        return self._process.printed

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

    @property
    def _process(self) -> Running:
        assert self._running is not None
        return self._running


def eventually(condition: Callable[[], T], seconds: float = SECONDS) -> T:
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return result
