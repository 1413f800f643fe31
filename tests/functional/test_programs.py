"""Programs that are started beside this one, as `make run`, the tests and the benchmarks do."""

import asyncio
import signal
import sys

import pytest

from local_dev.ports import free_ports
from local_dev.processes import Processes
from local_dev.programs import ProcessError, Program, Running, running, start
from local_dev.readiness import listening, printing

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
    await processes.start(Program("first", python("import time; print('hello'); time.sleep(1)").command))
    await processes.start(Program("second", python("import time; time.sleep(60)").command))
    async with asyncio.timeout(30):
        assert str(await processes.first_to_end()) == "first ended with exit code 0"
    await processes.stop_all()
    assert capsys.readouterr().out == "first       | hello\n"
