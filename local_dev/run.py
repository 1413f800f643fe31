"""`make run`: Azurite, the local Direct Line with its chat page, and the Functions host.

Where Core Tools' `func` is on PATH it is the host; elsewhere the stand-in of this folder is.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot_logic.errors import SettingsError
from local_dev import azurite, settings_file
from local_dev.callers import SETTING as ALLOWED_HOSTS
from local_dev.console import say
from local_dev.data_folder import claimed
from local_dev.processes import Processes
from local_dev.programs import ROOT, STOP_TIMEOUT, ProcessError, Program
from local_dev.readiness import answering, healthy
from local_dev.watches import deleted, orphaned

BANNER = """
  The proactive bot is running.

  Chat page        http://localhost:{chat}
  Operator page    http://localhost:{chat}/operator
  Bot endpoint     http://localhost:{functions}/api/messages  (for the Bot Framework Emulator)
  Functions host   {host}

  Ctrl-C stops everything.
"""
STOPPING = f"""\
Stopping; what is under way may take {STOP_TIMEOUT:.0f} s. Ctrl-C again ends everything at once."""
PORTS_APART = 10  # from a port that is taken to the one to take instead
TRACES = "OTEL_TRACES_EXPORTER"  # which the app heeds where no OTEL_EXPORTER_OTLP_ENDPOINT is set
# Which setting says where the app finds what its health function looks at.
WHERE = {
    "queue": "AzureWebJobsStorage",
    "tables": "AzureWebJobsStorage",
    "directLine": "DirectLineEndpoint or DirectLineSecret",
    "login": "MicrosoftAppId, MicrosoftAppPassword or MicrosoftAppTenantId",
}


@dataclass(frozen=True)
class Ports:
    """Where everything listens, on localhost."""

    chat: int = 3000
    functions: int = 7071
    blob: int = 10000
    queue: int = 10001
    table: int = 10002

    def taken(self) -> dict[str, int]:
        """Return the ports on which something listens already, by the flag that sets another."""
        return {flag: port for flag, port in self.flags().items() if _answers(port)}

    def flags(self) -> dict[str, int]:
        """Return the ports by the flags that set them."""
        return {f"--{name}-port": port for name, port in vars(self).items()}


@dataclass(frozen=True)
class Stack:
    """The programs that make the bot run on this machine."""

    ports: Ports = Ports()
    data: Path = ROOT / ".azurite"
    lock_seconds: int | None = None  # of the stand-in host; shorter than usual for tests
    with_host: bool = True  # else it is started elsewhere, in a debugger for example

    @property
    def host_description(self) -> str:
        """The name of the Functions host that runs the app."""
        if not self.with_host:
            return "not started: python -m local_dev.functions_host, or func start"
        if _core_tools():
            return "Azure Functions Core Tools (func)"
        worker = importlib.util.find_spec("azure_functions_runtime") is not None
        loader = "the real Functions worker" if worker else "azure-functions' own converters"
        return f"stand-in for Core Tools, which are not on PATH; runs the app through {loader}"

    def programs(self) -> tuple[Program, Program, Program]:
        """Return Azurite, the local Direct Line and the Functions host, in starting order."""
        return self._azurite(), self._direct_line(), self._functions_host()

    def started(self) -> Sequence[Program]:
        """Return those of them that are started here."""
        return self.programs() if self.with_host else self.programs()[:-1]

    def taken(self) -> Mapping[str, int]:
        """Return the ports that are needed here and taken, by the flag that sets another."""
        taken = self.ports.taken()
        if not self.with_host:
            taken.pop("--functions-port", None)
        return taken

    def _azurite(self) -> Program:
        ports = self.ports
        started = azurite.program(self.data, (ports.blob, ports.queue, ports.table))
        names = settings_file.read().get(ALLOWED_HOSTS, "")
        return replace(started, environment={ALLOWED_HOSTS: names})

    def _direct_line(self) -> Program:
        base = f"http://localhost:{self.ports.chat}"
        bot = f"http://localhost:{self.ports.functions}/api/messages"
        command = [sys.executable, "-m", "local_dev.direct_line"]
        command += ["--port", str(self.ports.chat), "--bot", bot]
        command += ["--memory", str(self.data / "direct-line.json")]
        return Program("direct-line", command, answering(base))

    def _functions_host(self) -> Program:
        port = str(self.ports.functions)
        if func := _core_tools():
            command = [func, "start", "--port", port]
        else:
            command = [sys.executable, "-m", "local_dev.functions_host", "--port", port]
            if self.lock_seconds is not None:
                command += ["--lock-seconds", str(self.lock_seconds)]
        health = f"http://localhost:{port}/api/health"
        started = Program("functions", command, healthy(health, WHERE), self._host_environment())
        # https://github.com/Azure/azure-functions-core-tools/issues/3074
        return replace(started, asked_to_end=signal.SIGINT) if func else started

    def _host_environment(self) -> dict[str, str]:
        """Return this Python for `func`, and where the others are if the settings are wrong."""
        environment = {
            TRACES: os.environ.get(TRACES, "console"),
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "VIRTUAL_ENV": sys.prefix,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        if self.ports != Ports():
            environment["DirectLineEndpoint"] = f"http://localhost:{self.ports.chat}"
            environment["AzureWebJobsStorage"] = self.storage_connection
        return environment

    @property
    def storage_connection(self) -> str:
        """Azurite's connection string."""
        return azurite.connection_string(self.ports.blob, self.ports.queue, self.ports.table)


async def run(stack: Stack, *, with_parent: bool = False) -> None:
    """Start everything, and stop everything when told to or when one of them ends.

    Told again while it stops, it ends everything at once.

    Args:
        stack: what to start.
        with_parent: also stop when the process ends that has started this one.

    Raises:
        ProcessError: something could not start, or ended by itself.
    """
    beside = _command(stack.ports.flags(), "--data", str(stack.data / "second"))
    with claimed(stack.data, f"Stop it with Ctrl-C; or, beside it: {beside}"):
        prepare(stack)
        await _until_told(stack, with_parent=with_parent)


async def _until_told(stack: Stack, *, with_parent: bool) -> None:
    processes, stopping = Processes(), asyncio.Event()

    def told_to_stop() -> None:
        if stopping.is_set():
            processes.kill_all()
        stopping.set()

    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signal_number, told_to_stop)
    ends: list[Coroutine[Any, Any, Any]] = [_start_and_watch(processes, stack), stopping.wait()]
    ends += [_raised(orphaned())] if with_parent else []
    try:
        await _first(ends)
    finally:
        stopping.set()
        say(STOPPING)
        await processes.stop_all()
        say("All stopped.")


async def _start_and_watch(processes: Processes, stack: Stack) -> None:
    for program in stack.started():
        await processes.start(program)
    ports, host = stack.ports, stack.host_description
    say(BANNER.format(chat=ports.chat, functions=ports.functions, host=host))
    await _first([_raised(processes.first_to_end()), _raised(deleted(stack.data))])


async def _first(waits: Sequence[Coroutine[Any, Any, Any]]) -> None:
    """Wait for one of them, and cancel the others; raise what it raised."""
    tasks = [asyncio.create_task(each) for each in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _raised(end: Coroutine[Any, Any, ProcessError]) -> None:
    raise await end


def prepare(stack: Stack) -> None:
    """Check that all is there, and make local.settings.json if there is none.

    Raises:
        ProcessError: something is missing, or a port is taken.
        SettingsError: local.settings.json is malformed, or has no secret of its own.
    """
    if os.name == "nt":
        raise ProcessError("this needs Linux or macOS; on Windows, run it inside WSL")
    if not azurite.PROGRAM.exists():
        raise ProcessError("Azurite is not installed; `make run` installs it (Node.js 20+ needed)")
    if taken := stack.taken():
        raise ProcessError(_about_taken(taken))
    settings_file.main()
    settings_file.direct_line_secret(settings_file.read())


def _about_taken(ports: Mapping[str, int]) -> str:
    *others, last = map(str, ports.values())
    taken = f"ports {', '.join(others)} and {last} are" if others else f"port {last} is"
    return f"{taken} taken. Is another `make run` still running? For others: {_command(ports)}"


def _command(ports: Mapping[str, int], *options: str) -> str:
    """Return what starts it on other ports than these, nor on a neighbour, which may be ours."""
    flags = [f"{flag} {port + PORTS_APART}" for flag, port in ports.items()]
    return " ".join([sys.executable, "-m", "local_dev.run", *options, *flags])


def _core_tools() -> str | None:
    return shutil.which("func")


def _answers(port: int) -> bool:
    for address in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return True
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C; the exit code is 1 if something went wrong."""
    parser = argparse.ArgumentParser(prog="python -m local_dev.run", description=__doc__)
    for name, port in vars(Ports()).items():
        parser.add_argument(f"--{name}-port", type=int, default=port, metavar="PORT")
    parser.add_argument(
        "--data", type=Path, default=Stack.data, help="where Azurite keeps its data"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process ends that started this"
    )
    parser.add_argument(
        "--without-host", action="store_true", help="leave the Functions host to a debugger"
    )
    options = parser.parse_args(arguments)
    ports = Ports(**{name: getattr(options, f"{name}_port") for name in vars(Ports())})
    os.chdir(ROOT)
    stack = Stack(ports, options.data, with_host=not options.without_host)
    try:
        asyncio.run(run(stack, with_parent=options.with_parent))
    except (ProcessError, SettingsError) as error:
        say(f"\n{error}", sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
