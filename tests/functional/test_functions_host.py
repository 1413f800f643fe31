"""The local Functions host, in its own process, with the sample app and a real Azurite."""

import base64
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from local_dev.ports import free_ports

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


# HTTP


def test_a_function_sees_the_request_as_it_was_sent(web: Host) -> None:
    body = bytes(range(256))
    status, headers, answer = web.request(
        "POST", "/api/echo?a=1&b=%C3%A9", body, X_One="1", X_Two="a, b"
    )
    assert (status, headers["x-answer"], headers["content-type"]) == (202, "42", "application/json")
    assert json.loads(answer) == {
        "method": "POST",
        "url": f"http://127.0.0.1:{web.port}/api/echo?a=1&b=%C3%A9",
        "headers": {"x-one": "1", "x-two": "a, b"},
        "params": {"a": "1", "b": "é"},
        "body": body.hex(),
    }


def test_a_function_that_raises_is_an_empty_500_and_one_traceback(web: Host) -> None:
    before = web.log().count("RuntimeError: made to fail by GET")
    status, _, answer = web.request("GET", "/api/fail")
    assert (status, answer) == (500, b"")
    assert web.log().count("RuntimeError: made to fail by GET") == before + 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/unknown"), ("GET", "/echo"), ("DELETE", "/api/echo"), ("HEAD", "/api/echo")],
    ids=["unknown route", "without the prefix", "wrong method", "HEAD is not GET"],
)
def test_what_no_function_serves_is_404(web: Host, method: str, path: str) -> None:
    assert web.request(method, path)[0] == 404


def test_a_route_parameter_reaches_its_function(web: Host) -> None:
    assert web.request("GET", "/api/items/tea%20pot")[::2] == (200, b"tea pot")


def test_a_body_may_be_larger_than_the_usual_limit(web: Host) -> None:
    assert web.request("PUT", "/api/items/count", b"x" * 2_000_000)[2] == b"2000000"


# Start-up and shutdown


def test_start_up_says_what_is_served_and_by_which_loader(host: Host) -> None:
    host.start("--loader", "converters", **{"AzureWebJobs.fail.Disabled": "True"})
    log = host.log()
    assert f"echo: [GET,POST] http://localhost:{host.port}/api/echo" in log
    assert f"work: queueTrigger {host.queue_name}" in log
    assert "loaded by azure-functions" in log
    assert "fail: disabled by AzureWebJobs.fail.Disabled" in log
    assert host.request("GET", "/api/fail")[0] == 404


@pytest.mark.parametrize("loader", ["auto", "converters"])
def test_a_parameter_without_its_binding_stops_the_start(host: Host, loader: str) -> None:
    source = host.app_dir / "function_app.py"
    source.write_text(
        source.read_text().replace("slow(req:", "slow(request:").replace("req.params", "{}")
    )
    host.launch("--loader", loader)
    assert host.exit_code() == 1
    assert "cannot load the slow function" in host.log()
    assert "Traceback" in host.log()


def test_converters_refuse_a_function_that_is_not_async(host: Host) -> None:
    source = host.app_dir / "function_app.py"
    source.write_text(source.read_text().replace("async def fail(", "def fail("))
    host.launch("--loader", "converters")
    assert host.exit_code() == 1
    expected = "cannot load the fail function: it must be async def fail(req: func.HttpRequest)"
    assert expected in host.log()


def test_a_binding_that_is_not_served_stops_the_start(host: Host) -> None:
    with (host.app_dir / "function_app.py").open("a") as source:
        source.write('@app.timer_trigger("timer", "0 0 * * * *")\n')
        source.write("async def tick(timer: func.TimerRequest) -> None: ...\n")
    host.launch()
    assert host.exit_code() == 1
    assert "tick: this host has no timerTrigger bindings; use func" in host.log()


def test_a_missing_connection_stops_the_start(host: Host) -> None:
    del host.values["WorkStorage"]
    host.launch()
    assert host.exit_code() == 1
    assert "the app setting WorkStorage is not set" in host.log()
    assert "Traceback" not in host.log()


def test_an_error_on_import_stops_the_start_with_its_traceback(host: Host) -> None:
    (host.app_dir / "function_app.py").write_text("import no_such_module\n")
    host.launch()
    assert host.exit_code() == 1
    assert "No module named 'no_such_module'" in host.log()
    assert "Traceback" in host.log()


def test_settings_that_count_as_encrypted_stop_the_start(host: Host) -> None:
    host.settings = {}
    host.launch()
    assert host.exit_code() == 1
    assert "local.settings.json: IsEncrypted must be false" in host.log()
    assert "Traceback" not in host.log()


def test_a_taken_port_stops_the_start(host: Host, web: Host) -> None:
    host.port = web.port
    host.launch()
    assert host.exit_code() == 1
    assert f"cannot listen on port {web.port}" in host.log()
    assert "Traceback" not in host.log()


def test_the_environment_wins_over_local_settings(host: Host) -> None:
    host.values["AzureWebJobs.echo.Disabled"] = "true"
    host.start(**{"AzureWebJobs.echo.Disabled": "false"})
    assert host.request("GET", "/api/echo")[0] == 202


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_is_under_way_finish(host: Host, number: signal.Signals) -> None:
    host.start()
    message_id = host.put({"sleep": 0.5})
    connection = host.begin_request("GET", "/api/slow?seconds=0.5")
    eventually(lambda: host.started() and "slow begins" in host.log())
    host.send_signal(number)
    assert connection.getresponse().read() == b"done"
    connection.close()
    assert host.exit_code() == 0
    assert [record["done"] for record in host.done()] == [message_id]
    assert host.left() == 0


def test_a_second_signal_ends_at_once(host: Host) -> None:
    host.start()
    host.put({"sleep": 60})
    eventually(host.started)
    host.send_signal(signal.SIGTERM)
    eventually(lambda: "stopping" in host.log())
    host.send_signal(signal.SIGTERM)
    assert host.exit_code() == -signal.SIGTERM


# Queue


def test_a_message_arrives_with_its_properties_and_is_deleted(host: Host) -> None:
    host.start()
    message_id = host.put("hellö")
    [record] = eventually(host.started)
    assert (record["id"], record["body"], record["dequeue_count"]) == (message_id, "hellö", 1)
    assert record["pop_receipt"]
    inserted, visible, expires = record["times"]
    assert inserted < visible < expires
    eventually(lambda: host.left() == 0)
    assert f"work succeeded id={message_id} dequeue=1" in host.log()
    assert "hellö" not in host.log()


def test_a_json_body_overwrites_the_properties_as_in_the_real_host(host: Host) -> None:
    host.start()
    host.put({"id": "from the body"})
    assert eventually(host.started)[0]["id"] == "from the body"


def test_a_queue_may_be_created_later(azurite: Any, tmp_path: Path) -> None:
    host = Host(azurite, tmp_path, free_ports(1)[0])
    try:
        host.start()
        host.create_queue()
        host.put("first")
        eventually(host.started)
        assert "WARNING" not in host.log()
    finally:
        host.kill()


def test_a_failing_message_comes_back_after_the_visibility_timeout(host: Host) -> None:
    host.start()
    host.put({"fail": True})
    first, second = eventually(lambda: host.started()[:2] if len(host.started()) > 1 else [])
    assert (first["dequeue_count"], second["dequeue_count"]) == (1, 2)
    assert second["at"] - first["at"] >= 0.9
    assert host.log().count("RuntimeError: made to fail") == host.log().count("work failed id=")


def test_the_fifth_failure_moves_the_message_to_the_poison_queue(host: Host) -> None:
    host.change_queue_settings(visibilityTimeout="00:00:00")
    host.start()
    host.put({"fail": True})
    eventually(lambda: host.left("-poison") == 1)
    assert [record["dequeue_count"] for record in host.started()] == [1, 2, 3, 4, 5]
    eventually(lambda: host.left() == 0)
    with host.queue("-poison") as poison:
        content = poison.peek_messages()[0].content
    assert json.loads(base64.b64decode(content)) == {"fail": True}


def test_a_second_message_finds_the_poison_queue_made(host: Host) -> None:
    host.start()
    host.put("{not base64}", raw=True)
    eventually(lambda: host.left("-poison") == 1)
    host.put("{not base64}", raw=True)
    eventually(lambda: host.left("-poison") == 2)
    eventually(lambda: host.left() == 0)
    assert "storage fails" not in host.log()


def test_a_message_that_is_not_base64_goes_straight_to_poison(host: Host) -> None:
    host.start()
    host.put("{not base64}", raw=True)
    eventually(lambda: host.left("-poison") == 1)
    assert host.started() == []
    with host.queue("-poison") as poison:
        assert poison.peek_messages()[0].content == "{not base64}"


@pytest.mark.parametrize("message", [{"fail": True}, "{not base64}"])
def test_a_failing_message_on_a_poison_queue_stays_and_comes_back(
    host: Host, message: dict[str, Any] | str
) -> None:
    host.values["WorkQueue"] = host.queue_name = f"{host.queue_name}-poison"
    host.create_queue()
    host.change_queue_settings(maxDequeueCount=1)
    host.start("--lock-seconds", "1")
    host.put(message, raw=isinstance(message, str))
    with host.queue() as queue:
        eventually(lambda: (queue.peek_messages() or host.started())[:2])
        if not isinstance(message, str):
            eventually(lambda: len(host.started()) > 2)
    assert (host.left(), host.left("-poison")) == (1, 0)


def test_no_more_than_batch_and_threshold_are_in_flight(host: Host) -> None:
    for number in range(14):
        host.put({"sleep": 0.2 + 0.1 * (number % 4)})
    host.start()
    eventually(lambda: len(host.done()) == 14)
    running = most = 0
    for record in host.records():
        running += -1 if "done" in record else 1
        most = max(most, running)
    assert 4 < most <= 4 + 2


def test_what_a_killed_host_worked_on_is_taken_up_again(host: Host) -> None:
    host.start("--lock-seconds", "1")
    host.put({"sleep": 60})
    eventually(host.started)
    host.kill()
    host.start("--lock-seconds", "1")
    again = eventually(lambda: host.started()[1:])
    assert again[0]["dequeue_count"] == 2


def test_a_message_stays_locked_while_its_function_runs(host: Host) -> None:
    host.start("--lock-seconds", "1")
    host.put({"sleep": 2.2})
    eventually(host.done)
    eventually(lambda: host.left() == 0)
    assert len(host.started()) == 1


def test_a_storage_outage_is_logged_once_and_survived(host: Host, azurite: Any) -> None:
    host.start()
    azurite.stop()
    try:
        eventually(lambda: "storage fails" in host.log())
        time.sleep(0.5)  # some more polls
    finally:
        azurite.start()
    eventually(lambda: "storage answers again" in host.log())
    host.put("afterwards")
    eventually(host.done)
    assert host.log().count("storage fails") == 1


# The two loaders


def test_both_loaders_give_the_same_results(
    azurite: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = sys.executable
    if sys.version_info < (3, 13):
        python = os.environ.get("REAL_WORKER_PYTHON", "")
        if not python:
            pytest.skip("REAL_WORKER_PYTHON names no Python 3.13 with azure-functions-runtime")
    results = []
    for loader, interpreter in {"worker": python, "converters": sys.executable}.items():
        host = Host(azurite, tmp_path_factory.mktemp(loader), free_ports(1)[0])
        host.create_queue()
        try:
            host.start("--loader", loader, python=interpreter)
            results.append(observe(host))
        finally:
            host.kill()
    assert results[0] == results[1]


def observe(host: Host) -> list[Any]:
    slash = urllib.parse.quote("a/b", safe="")
    requests: list[tuple[str, str, bytes | None]] = [
        ("GET", "/api/echo?q=1", None),
        ("POST", "/api/echo", b"\x00body"),
        ("GET", f"/api/items/{slash}", None),
        ("GET", "/api/fail", None),
        ("DELETE", "/api/echo", None),
    ]
    answers = []
    for method, path, body in requests:
        status, headers, content = host.request(method, path, body, X_Test="1")
        text = content.decode().replace(str(host.port), "PORT")
        answers.append((status, headers.get("content-type"), headers.get("x-answer"), text))
    for message in ("plain", {"a": 1}, {"dequeuecount": 7}):
        host.put(message)
    eventually(lambda: len(host.done()) == 3)
    seen = sorted((record["body"], record["dequeue_count"]) for record in host.started())
    return [answers, seen]
