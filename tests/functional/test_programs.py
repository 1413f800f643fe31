"""Programs that are started beside this one, as `make run`, the tests and the benchmarks do."""

import asyncio
import os
import signal
import sys
import time

import pytest

from local_dev.ports import free_ports
from local_dev.processes import Processes
from local_dev.programs import STOP_TIMEOUT, ProcessError, Program, Running, running, start
from local_dev.readiness import healthy, listening, printing

SERVER = "import socket, time; s = socket.create_server(('127.0.0.1', {})); time.sleep(60)"
PARENT = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
subprocess.Popen([sys.executable, "-c", {!r}])
print("started", flush=True)
signal.pause()
"""


def python(code: str, **more: object) -> Program:
    return Program("it", (sys.executable, "-c", code), **more)  # type: ignore[arg-type]


def test_a_program_is_started_once_it_answers_and_ends_with_the_block() -> None:
    (port,) = free_ports(1)
    with running(python(SERVER.format(port), ready=listening(port))) as server:
        listening(port)("")
    assert server.exit_code == -signal.SIGTERM
    with pytest.raises(ConnectionRefusedError):
        listening(port)("")


def test_a_program_that_stops_takes_along_what_it_has_started() -> None:
    (port,) = free_ports(1)
    with running(python(PARENT.format(SERVER.format(port)), ready=listening(port))) as parent:
        pass
    assert parent.printed == "started\ntold to stop\n"
    with pytest.raises(ConnectionRefusedError):
        listening(port)("")


def test_a_program_that_ends_instead_of_answering_is_quoted() -> None:
    with pytest.raises(ProcessError, match=r"it could not start \(exit code 1\): no luck"):
        start(python("import sys; sys.exit('no luck')", ready=printing("never")))


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ProcessError, match=r"nothing cannot be run: .*no-such-program"):
        start(Program("nothing", ["no-such-program"]))


def test_settings_come_on_top_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "ours")
    monkeypatch.setenv("B", "ours")
    code = "import os; print(os.environ['A'], os.environ['B'])"
    program = Running(python(code, environment={"B": "its own"}))
    assert program.ends() == 0
    assert program.printed == "ours its own\n"


async def test_several_are_shown_by_name_and_watched(capsys: pytest.CaptureFixture[str]) -> None:
    processes = Processes()
    first = python("import time; print('hello'); time.sleep(1)")
    await processes.start(Program("first", first.command))
    await processes.start(Program("second", python("import time; time.sleep(60)").command))
    async with asyncio.timeout(30):
        assert str(await processes.first_to_end()) == "first ended with exit code 0"
    await processes.stop_all()
    printed = capsys.readouterr().out.splitlines()  # by the session's `make run`, too
    assert [line for line in printed if line.startswith(("first", "second"))] == [
        "first       | hello"
    ]


def test_nothing_outlives_the_process_that_started_it() -> None:
    (port,) = free_ports(1)
    starter = (
        "import sys, time; from local_dev.programs import Program, Running; "
        f"Running(Program('it', [sys.executable, '-c', {SERVER.format(port)!r}])); time.sleep(60)"
    )
    parent = start(python(starter, ready=listening(port)))
    os.kill(parent.pid, signal.SIGKILL)
    parent.ends()
    with pytest.raises(ConnectionRefusedError):  # noqa: PT012 - it takes a moment
        for _ in range(100):
            listening(port)("")
            time.sleep(0.1)


async def test_one_that_takes_its_time_to_stop_can_be_ended_at_once() -> None:
    stubborn = "import signal, time; signal.signal(15, lambda *_: print('no')); print('up'); "
    processes = Processes()
    await processes.start(python(f"{stubborn} time.sleep(60); time.sleep(60)"))
    stopping = asyncio.create_task(processes.stop_all())
    await asyncio.sleep(0.5)
    processes.kill_all()
    async with asyncio.timeout(STOP_TIMEOUT / 2):
        await stopping


HEALTH = """
import http.server, json
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.end_headers()
        self.wfile.write(json.dumps({!r}).encode())
print("up", flush=True)
http.server.HTTPServer(("127.0.0.1", {}), Health).serve_forever()
"""


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (
            {"checks": {"queue": "reachable", "directLine": "unreachable: ClientConnectorError"}},
            r"^directLine is unreachable: ClientConnectorError; is Endpoint right\?$",
        ),
        ({"problems": ["A is missing", "B is wrong"]}, "^A is missing; B is wrong$"),
    ],
    ids=["unhealthy", "misconfigured"],
)
def test_an_app_that_will_not_get_well_is_not_waited_for(
    report: dict[str, object], reason: str
) -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/api/health"
    ready = healthy(url, {"directLine": "Endpoint"}, pause=0)
    with pytest.raises(ProcessError, match=reason):
        start(python(HEALTH.format(report, port), ready=ready))
