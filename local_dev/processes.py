"""Child processes under one roof: prefixed output, readiness, and a clean end for all of them."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 35.0  # seconds; what the Functions host has under way ends well before
POLL_INTERVAL = 0.25  # seconds


class ProcessError(Exception):
    """A process did not start, or ended by itself. The text is for the person at the keyboard."""


@dataclass(frozen=True)
class Program:
    """What to run, and how to tell that it really answers.

    Attributes:
        name: what the log and the error messages call it.
        ready: raises an OSError or an aiohttp error while it does not answer.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], Awaitable[None]]
    environment: Mapping[str, str] = field(default_factory=dict)


class Processes:
    """Starts programs, shows what they print, and stops them in the reverse order."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._printing: set[asyncio.Task[None]] = set()

    async def start(self, program: Program) -> None:
        """Start a program and return once it answers.

        Raises:
            ProcessError: it ended, or did not answer in time.
        """
        process = await asyncio.create_subprocess_exec(
            *program.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process only, which then stops the rest
        )
        self._running[program.name] = process
        printing = asyncio.create_task(_print_lines(program.name, process))
        self._printing.add(printing)
        printing.add_done_callback(self._printing.discard)
        await self._answering(program, process)

    async def first_to_end(self) -> ProcessError:
        """Wait until one of them ends by itself, and say which."""
        waiting = {
            asyncio.create_task(process.wait(), name=name)
            for name, process in self._running.items()
        }
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        ended = done.pop()
        return ProcessError(f"{ended.get_name()} ended with exit code {ended.result()}")

    async def kill(self, name: str) -> None:
        """End a process at once, with no chance to clean up."""
        process = self._running.pop(name)
        _signal_group(process, signal.SIGKILL)
        await process.wait()

    async def stop(self, name: str) -> None:
        """Ask a process to end, wait for it, and end what it left behind."""
        process = self._running.pop(name)
        _signal_group(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            sys.stderr.write(f"{name} did not stop within {STOP_TIMEOUT:.0f} s, ending it\n")
        _signal_group(process, signal.SIGKILL)
        await process.wait()

    async def stop_all(self) -> None:
        """Stop all of them, the last started first."""
        for name in reversed(list(self._running)):
            await self.stop(name)
        await asyncio.gather(*self._printing)

    async def _answering(self, program: Program, process: asyncio.subprocess.Process) -> None:
        deadline, problem = time.monotonic() + START_TIMEOUT, ""
        while process.returncode is None and time.monotonic() < deadline:
            try:
                return await program.ready()
            except (OSError, aiohttp.ClientError) as error:
                problem = str(error)
            await asyncio.sleep(POLL_INTERVAL)
        if process.returncode is not None:
            raise ProcessError(f"{program.name} could not start (exit code {process.returncode})")
        raise ProcessError(f"{program.name} did not answer within {START_TIMEOUT:.0f} s: {problem}")


async def _print_lines(name: str, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None  # noqa: S101 - start() asks for the pipe
    while line := await process.stdout.readline():
        sys.stdout.write(f"{name:<11} | {line.decode(errors='replace').rstrip()}\n")
        sys.stdout.flush()


def _signal_group(process: asyncio.subprocess.Process, signal_number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal_number)
