"""`make run` as a person sees it: the banner, a clean end, and a clear word when it cannot."""

import importlib.util
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_dev.ports import free_ports
from local_dev.programs import ROOT, STOP_TIMEOUT, Program, Ready, Running
from local_dev.readiness import printing
from local_dev.run import Ports

BANNER = printing("Ctrl-C stops everything.")


def command(ports: Ports, data: Path) -> list[str]:
    options = [f"--{name}-port={port}" for name, port in vars(ports).items()]
    return [sys.executable, "-m", "local_dev.run", *options, "--data", str(data)]


@contextmanager
def launched(
    data: Path, ports: Ports | None = None, **environment: str
) -> Iterator[tuple[Running, Ports]]:
    """`python -m local_dev.run`, not awaited."""
    ports = ports or Ports(*free_ports(5))
    run = Running(Program("make run", command(ports, data), environment=environment))
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


def nothing_listens(ports: Ports) -> Ready:
    def check(_printed: str) -> None:
        if found := listening(ports):
            raise ConnectionError(f"something listens on {found}")

    return check


def until(ready: Ready, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            return ready("")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


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


def a_func(folder: Path, first: str, then: str = "true") -> str:
    """A PATH with Core Tools on it: our own host, with something done before and after it."""
    folder.mkdir()
    func = folder / "func"
    func.write_text(
        f'#!/bin/sh\n{first}\nshift\n"{sys.executable}" -m local_dev.functions_host "$@"\n{then}\n'
    )
    func.chmod(func.stat().st_mode | stat.S_IEXEC)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


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
        assert f"local_dev.run --chat-port {ports.chat + 10}\n" in run.printed
        assert "Traceback" not in run.printed


def test_for_each_taken_port_another_is_offered_that_is_no_neighbours(tmp_path: Path) -> None:
    ports = Ports(*free_ports(5))
    with (
        socket.create_server(("127.0.0.1", ports.queue)),
        socket.create_server(("127.0.0.1", ports.table)),
        launched(tmp_path, ports) as (run, _),
    ):
        assert run.ends() == 1
        assert f"ports {ports.queue} and {ports.table} are taken" in run.printed
        assert f"--queue-port {ports.queue + 10} --table-port {ports.table + 10}\n" in run.printed


def test_a_second_one_leaves_the_data_of_the_first_alone(tmp_path: Path) -> None:
    with launched(tmp_path) as (first, _):
        first.until(BANNER)
        with launched(tmp_path) as (second, ports):
            assert second.ends() == 1
            assert f"another `make run` keeps its data in {tmp_path}" in second.printed
            assert listening(ports) == []
        beside = tmp_path / "second"  # as the message says
        assert f"--data {beside} " in second.printed
        with launched(beside) as (third, _):
            third.until(BANNER)


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
    func = a_func(tmp_path / "bin", "trap '' TERM; echo \"func was called with: $*\"")
    with launched(tmp_path / "data", PATH=func) as (run, ports):
        run.until(BANNER)
        assert "Functions host   Azure Functions Core Tools (func)" in run.printed
        assert f"func was called with: start --port {ports.functions}" in run.printed
        run.send(signal.SIGINT)
        assert run.ends(within=STOP_TIMEOUT / 2) == 0  # SIGINT is what it heeds


def test_it_stops_all_though_nobody_reads_what_it_says_any_more(tmp_path: Path) -> None:
    ports = Ports(*free_ports(5))
    run = subprocess.Popen(
        command(ports, tmp_path), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert run.stdout is not None
    while b"Ctrl-C stops everything." not in run.stdout.readline():
        assert run.poll() is None
    run.stdout.close()  # as `| tee log` does, which Ctrl-C ends first
    run.send_signal(signal.SIGINT)
    assert run.wait(60) == 0
    assert listening(ports) == []


@pytest.mark.parametrize("encoding", ["ascii", "latin-1:strict"])
def test_it_runs_and_stops_where_few_characters_are_known(tmp_path: Path, encoding: str) -> None:
    with launched(tmp_path, PYTHONIOENCODING=encoding) as (run, ports):
        run.until(BANNER)
        run.send(signal.SIGINT)
        assert run.ends() == 0
        assert run.printed.endswith("All stopped.\n")
        assert listening(ports) == []


def test_nothing_outlives_it_when_it_is_killed(tmp_path: Path) -> None:
    with launched(tmp_path) as (run, ports):
        run.until(BANNER)
        run.send(signal.SIGKILL)
        until(nothing_listens(ports))


def test_nothing_outlives_what_started_it_with_parent(tmp_path: Path) -> None:
    ports = Ports(*free_ports(5))
    words = shlex.join([*command(ports, tmp_path), "--with-parent"])
    parent = Running(Program("make", ["sh", "-c", f"{words}; exit $?"]))
    parent.until(BANNER)
    parent.send(signal.SIGKILL)
    until(nothing_listens(ports))
    parent.ends()


def test_told_again_it_ends_at_once_what_takes_its_time(tmp_path: Path) -> None:
    func = a_func(tmp_path / "bin", "trap '' INT TERM", then="sleep 300")
    with launched(tmp_path / "data", PATH=func) as (run, ports):
        run.until(BANNER)
        run.send(signal.SIGINT)
        run.until(printing("Ctrl-C again ends everything at once."))
        run.send(signal.SIGINT)
        assert run.ends(within=STOP_TIMEOUT / 2) == 0
        assert listening(ports) == []


@pytest.mark.parametrize("what", [".", "__queuestorage__"])
def test_data_deleted_under_azurite_ends_it_with_the_reason(tmp_path: Path, what: str) -> None:
    with launched(tmp_path / "data") as (run, ports):
        run.until(BANNER)
        shutil.rmtree(tmp_path / "data" / what)
        assert run.ends() == 1
        assert run.printed.endswith("data was deleted while Azurite kept its data there\n")
        assert listening(ports) == []
