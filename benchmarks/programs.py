"""Measured programs: each a process on a core of its own, with the CPU time it takes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_dev import programs
from local_dev.ports import free_ports
from local_dev.programs import start
from local_dev.readiness import listening

PEERS_PYTHON = Path(f"{sys.prefix}-peers/bin/python")  # beside ours, and of the same version
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
        CannotMeasure: it is not there, or this is no Linux.
        ProcessError: it does not start.
    """
    _check_ready(program)
    (port,) = free_ports(1)
    command = [program.python, "-m", program.module, str(port), *program.arguments]
    with on_core(measured_core()):
        started = start(
            programs.Program(program.module, command, listening(port), program.environment)
        )
    try:
        yield Running(started.pid, f"http://127.0.0.1:{port}")
    finally:
        await asyncio.to_thread(started.stop)


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
