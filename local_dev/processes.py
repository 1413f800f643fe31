"""Several programs under one roof, from an event loop: for `make run`, and for tests of it all."""

import asyncio

from local_dev.programs import POLL_INTERVAL, ProcessError, Program, Running


class Processes:
    """Starts programs, shows what they print, and stops them in the reverse order."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}

    async def start(self, program: Program) -> None:
        """Start a program and return once it answers.

        Raises:
            ProcessError: it ended, or did not answer in time.
        """
        started = self._running[program.name] = Running(program, shown=True)
        await asyncio.to_thread(started.until, program.ready)

    async def first_to_end(self) -> ProcessError:
        """Wait until one of them ends by itself, and say which."""
        while True:
            for name, each in self._running.items():
                if each.exit_code is not None:
                    return ProcessError(f"{name} ended with exit code {each.exit_code}")
            await asyncio.sleep(POLL_INTERVAL)

    def has_ended(self, name: str) -> bool:
        """Tell whether a program that was started has ended by itself."""
        return name in self._running and self._running[name].exit_code is not None

    async def kill(self, name: str) -> None:
        """End a program at once, with no chance to clean up."""
        await asyncio.to_thread(self._running.pop(name).kill)

    async def stop(self, name: str) -> None:
        """Ask a program to end, wait for it, and end what it left behind."""
        await asyncio.to_thread(self._running[name].stop)
        del self._running[name]

    def kill_all(self) -> None:
        """End all of them at once; who waits for one to stop need not wait any longer."""
        for each in self._running.values():
            each.send_kill()

    async def stop_all(self) -> None:
        """Stop all of them, the last started first."""
        for name in reversed(list(self._running)):
            await self.stop(name)
