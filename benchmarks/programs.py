"""Measured programs: each a process on a core of its own, with the CPU time it takes."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_dev.ports import free_ports

ROOT = Path(__file__).resolve().parent.parent
PEERS_PYTHON = Path(f"{sys.prefix}-peers/bin/python")  # beside ours, and of the same version
START_TIMEOUT = 30.0  # seconds
STOP_TIMEOUT = 5.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, in a second


class CannotMeasure(Exception):
    """This machine, or a program on it, is not ready. The text is for who started this."""


@dataclass(frozen=True)
class Program:
    """A module to run, in our environment or in the peers'; it listens on the port it is given.

    Attributes:
        module: the name after ``python -m``.
        arguments: what follows the port on its command line.
        environment: settings, and nothing else besides this process's own environment.
    """

    module: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """The interpreter whose packages the program needs."""
        return str(PEERS_PYTHON) if self.module.startswith("benchmarks.peers.") else sys.executable


@dataclass(frozen=True)
class Running:
    """A program that answers."""

    pid: int
    url: str

    def cpu_seconds(self) -> float:
        """Return what it has used so far, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS  # utime, stime: man 5 proc


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Running]:
    """Run a program on the measured core as long as the block lasts.

    Raises:
        CannotMeasure: it does not start, or this is no Linux.
    """
    _check_ready(program)
    (port,) = free_ports(1)
    with on_core(measured_core()):
        process = await asyncio.create_subprocess_exec(
            program.python,
            "-m",
            program.module,
            str(port),
            *program.arguments,
            cwd=ROOT,
            env={**os.environ, **program.environment},
            stdin=asyncio.subprocess.DEVNULL,
        )
    try:
        await listening(process, program.module, port)
        yield Running(process.pid, f"http://127.0.0.1:{port}")
    finally:
        await _stop(process)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run on this core, and so does each process that is started meanwhile."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measured_core() -> int | None:
    """Return the core of the measured programs; None if this machine cannot tell them apart."""
    return _CORES[-1] if len(_CORES) > 1 else None


def measuring_core() -> int | None:
    """Return the core of the load generator and the channel, or None likewise."""
    return _CORES[0] if len(_CORES) > 1 else None


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


_CORES = _cores()  # before anything was bound to one of them


def _check_ready(program: Program) -> None:
    if not Path("/proc/self/stat").exists():
        raise CannotMeasure("CPU time is read from Linux's /proc")
    if not Path(program.python).exists():
        raise CannotMeasure("the peers are not installed; `make bench` does it")


async def listening(process: asyncio.subprocess.Process, name: str, port: int) -> None:
    """Wait until a process listens on its port of loopback.

    Raises:
        CannotMeasure: it has ended, or does not listen in time.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while process.returncode is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise CannotMeasure(f"{name} did not start")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
