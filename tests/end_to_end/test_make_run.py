"""`make run` as a person sees it: the banner, a clean end, and a clear word when it cannot."""

import importlib.util
import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_dev.ports import free_ports
from local_dev.programs import Program, Running
from local_dev.readiness import printing
from local_dev.run import Ports

BANNER = printing("Ctrl-C stops everything.")


@contextmanager
def launched(
    data: Path, ports: Ports | None = None, **environment: str
) -> Iterator[tuple[Running, Ports]]:
    """`python -m local_dev.run`, not awaited."""
    ports = ports or Ports(*free_ports(5))
    options = [f"--{name}-port={port}" for name, port in vars(ports).items()]
    command = [sys.executable, "-m", "local_dev.run", *options, "--data", str(data)]
    run = Running(Program("make run", command, environment=environment))
    try:
        yield run, ports
    finally:
        run.stop()


def listening(ports: Ports) -> list[int]:
    found = []
    for port in vars(ports).values():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


def pid_of(command: str, port: int) -> int:
    """The process whose command line names this program and this port."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if str(port) in words and any(command in word for word in words):
                return int(entry.name)
    pytest.fail(f"no {command} on port {port}")


def test_it_says_where_everything_is_and_ends_cleanly(tmp_path: Path) -> None:
    with launched(tmp_path) as (run, ports):
        run.until(BANNER)
        assert f"Chat page        http://localhost:{ports.chat}\n" in run.printed
        assert f"http://localhost:{ports.functions}/api/messages" in run.printed
        assert "stand-in for Core Tools" in run.printed
        real_worker = importlib.util.find_spec("azure_functions_runtime") is not None
        assert ("loaded by the real Functions worker" in run.printed) is real_worker
        assert len(listening(ports)) == 5
        run.send(signal.SIGINT)
        assert run.ends() == 0
        assert run.printed.endswith("All stopped.\n")
        assert "Traceback" not in run.printed
        assert listening(ports) == []


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    ports = Ports(*free_ports(5))
    with socket.create_server(("127.0.0.1", ports.chat)), launched(tmp_path, ports) as (run, _):
        assert run.ends() == 1
        assert f"port {ports.chat} is taken" in run.printed
        assert "Traceback" not in run.printed


def test_when_one_process_ends_the_others_are_stopped(tmp_path: Path) -> None:
    with launched(tmp_path) as (run, ports):
        run.until(BANNER)
        os.kill(pid_of("local_dev.direct_line", ports.chat), signal.SIGKILL)
        assert run.ends() == 1
        assert run.printed.endswith("direct-line ended with exit code -9\n")
        assert listening(ports) == []


def test_an_app_that_cannot_serve_says_why(tmp_path: Path) -> None:
    with launched(tmp_path, TriggerSigningKey="too short") as (run, ports):
        assert run.ends() == 1
        assert "TriggerSigningKey needs at least 32 characters" in run.printed
        assert "too short" not in run.printed
        assert listening(ports) == []


def test_core_tools_are_used_where_they_are_installed(tmp_path: Path) -> None:
    func = tmp_path / "bin/func"
    func.parent.mkdir()
    func.write_text(
        '#!/bin/sh\necho "func was called with: $*"\nshift\n'
        f'exec "{sys.executable}" -m local_dev.functions_host "$@"\n'
    )
    func.chmod(func.stat().st_mode | stat.S_IEXEC)
    path = f"{func.parent}{os.pathsep}{os.environ['PATH']}"
    with launched(tmp_path / "data", PATH=path) as (run, ports):
        run.until(BANNER)
        assert "Functions host   Azure Functions Core Tools (func)" in run.printed
        assert f"func was called with: start --port {ports.functions}" in run.printed
        run.send(signal.SIGINT)
        assert run.ends() == 0
