"""Measured programs: each a process bound to one core, with the CPU time that it takes."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_dev.ports import free_ports
from local_dev.programs import Program, running
from local_dev.readiness import listening

PEERS_PYTHON = Path(f"{sys.prefix}-peers/bin/python")  # beside ours, and of the same version
SETTINGS = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",  # for programs that store nothing
    "DirectLineSecret": "a-direct-line-secret-of-the-benchmarks",
    "TriggerSigningKey": "a-trigger-signing-key-of-the-benchmarks",
    "MicrosoftAppId": "",
}
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
_TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, in a second


@dataclass(frozen=True)
class Measured:
    """A program that answers."""

    pid: int
    url: str

    def cpu_seconds(self) -> float:
        """Return what it has used so far, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS  # utime, stime: man 5 proc


@contextmanager
def measured(module: str, *arguments: str, **settings: str) -> Iterator[Measured]:
    """Run a module, in our environment or in the peers', as long as the block lasts.

    Args:
        module: the name after ``python -m``; it listens on the port it is given.
        arguments: what follows the port on its command line.
        settings: besides those that all have.

    Raises:
        ProcessError: it does not start.
    """
    (port,) = free_ports(1)
    python = str(PEERS_PYTHON) if module.startswith("benchmarks.peers.") else sys.executable
    command = on_its_core([python, "-m", module, str(port), *arguments])
    with running(Program(module, command, listening(port), SETTINGS | settings)) as program:
        yield Measured(program.pid, f"http://127.0.0.1:{port}")


def on_its_core(command: Sequence[str]) -> list[str]:
    """Bind a command to the core of the measured programs."""
    return ["taskset", "--cpu-list", str(CORES[-1]), *command]


def bind_this_process() -> None:
    """Leave that core to them, if there is another."""
    os.sched_setaffinity(0, {CORES[0]})
