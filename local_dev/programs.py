"""Programs beside this one: started, awaited until they answer, ended with all they started.

Nothing else starts one that stays. All waiting is in plain calls, and a thread reads what is
printed: so the same serves `make run`, tests with and without an event loop, and the benchmarks.
"""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_dev.console import say

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 60.0  # seconds; also for one that does its work and ends
STOP_TIMEOUT = 35.0  # seconds; what the Functions host has under way ends well before
POLL_INTERVAL = 0.1  # seconds

_PYTHON = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}  # as it is read here
# Ends a process group once its standard input ends: so nothing outlives this process, whose end of
# that pipe the system closes however it dies. Five seconds to clean up are enough. It ends with the
# group, whose number will be another's one day.
_LEASH = """
read _
kill -s TERM -- "-$1"
for _ in 1 2 3 4 5; do kill -s 0 -- "-$1" || exit; sleep 1; done
kill -s KILL -- "-$1"
"""

Ready = Callable[[str], None]
"""Takes what a program has printed; raises an OSError while the program does not answer."""


class ProcessError(Exception):
    """A process did not start, or ended by itself. The text is for the person at the keyboard."""


@dataclass(frozen=True)
class Program:
    """What to run, from the repository's root, and how to tell that it really answers.

    Attributes:
        name: what the log and the error messages call it.
        command: with its arguments.
        ready: asked again and again after the start; by default it is not waited for.
        environment: settings, besides this process's own environment.
        asked_to_end: the signal that it heeds.
    """

    name: str
    command: Sequence[str]
    ready: Ready = lambda _printed: None
    environment: Mapping[str, str] = field(default_factory=dict)
    asked_to_end: signal.Signals = signal.SIGTERM


class Running:
    """A program that was started, with all that it starts itself (its process group)."""

    def __init__(self, program: Program, *, shown: bool = False) -> None:
        """Start it, and do not wait.

        Args:
            program: what to start.
            shown: what it prints is printed here, behind its name, instead of being kept.

        Raises:
            ProcessError: it is not there, or cannot be run.
        """
        self._program, self._shown = program, shown
        self._printed: list[str] = []
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                program.command,
                cwd=ROOT,
                env={**os.environ, **_PYTHON, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process only, which stops the rest
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise ProcessError(f"{program.name} cannot be run: {error}") from error
        self._leash = subprocess.Popen(  # noqa: S603
            ["sh", "-c", _LEASH, "leash", str(self.pid)],  # noqa: S607 - wherever it is
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        """The program's own process id."""
        return self._process.pid

    @property
    def printed(self) -> str:
        """What it has printed so far, errors included; nothing if it was shown."""
        return "".join(self._printed)

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def until(self, ready: Ready) -> None:
        """Wait until it answers.

        Raises:
            ProcessError: it ended, or did not answer in time.
        """
        deadline, problem = time.monotonic() + START_TIMEOUT, ""
        while self.exit_code is None and time.monotonic() < deadline:
            try:
                return ready(self.printed)
            except (OSError, http.client.HTTPException) as error:
                problem = str(error)
            time.sleep(POLL_INTERVAL)
        name = self._program.name
        if self.exit_code is None:
            raise ProcessError(f"{name} did not answer within {START_TIMEOUT:.0f} s: {problem}")
        code = self.ends()
        said = "; it says above why" if self._shown else f": {self.printed}"
        raise ProcessError(f"{name} could not start (exit code {code}){said}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self._process.send_signal(number)

    def ends(self, within: float = START_TIMEOUT) -> int:
        """Wait until it ends by itself, and return its exit code.

        Raises:
            subprocess.TimeoutExpired: it does not, within these seconds.
        """
        code = self._process.wait(within)
        self._leash.kill()
        self._leash.communicate()
        self._reading.join(STOP_TIMEOUT)
        return code

    def stop(self) -> None:
        """Ask it to end, wait for it, and end what it left behind."""
        self._signal_group(self._program.asked_to_end)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            name = self._program.name
            say(f"{name} did not stop within {STOP_TIMEOUT:.0f} s, ending it", sys.stderr)
        self.kill()

    def kill(self) -> None:
        """End it at once, with no chance to clean up."""
        self.send_kill()
        self.ends()

    def send_kill(self) -> None:
        """End it at once, and do not wait."""
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - we asked for the pipe
        with self._process.stdout as lines:
            for line in lines:
                if self._shown:
                    say(f"{self._program.name:<11} | {line.rstrip()}")
                else:
                    self._printed.append(line)
        self._leash.kill()  # nobody is left who could print


def start(program: Program) -> Running:
    """Start a program and return once it answers.

    Raises:
        ProcessError: it ended, or did not answer in time.
    """
    started = Running(program)
    try:
        started.until(program.ready)
    except ProcessError:
        started.kill()
        raise
    return started


@contextmanager
def running(program: Program) -> Iterator[Running]:
    """Run a program as long as the block lasts; the block begins once it answers."""
    started = start(program)
    try:
        yield started
    finally:
        started.stop()
