"""The ports of `make run`: free, in use by this checkout's own `make run`, or taken."""

import sys
from collections.abc import Iterator, Sequence

from bot_logic.errors import SettingsError
from local_dev.doctor.findings import Finding, ok, problem
from local_dev.doctor.port_owners import owner_of
from local_dev.run import Stack


def findings(stack: Stack) -> Iterator[Finding]:
    """Look at each port."""
    taken, own = stack.ports.taken(), _command_lines(stack)
    for name, port in vars(stack.ports).items():
        flag = f"--{name}-port"
        if flag not in taken:
            yield ok(f"port {port}", f"free for {name}")
        else:
            yield _taken(port, flag, own)


def _taken(port: int, flag: str, own: Sequence[str]) -> Finding:
    owner = owner_of(port)
    who = f"{owner.name} (process {owner.pid})" if owner else "a process that is not ours to see"
    if owner and any(map(owner.command.endswith, own)):
        return ok(f"port {port}", f"in use by this checkout's make run: {who}")
    stop = f"end it (kill {owner.pid})" if owner else "end it"
    other = f"use another: {sys.executable} -m local_dev.run {flag} {port + 1}"
    return problem(f"port {port}", f"taken by {who}", f"{stop}, or {other}")


def _command_lines(stack: Stack) -> Sequence[str]:
    """Return how the stack's processes end in a list of processes; a script's begins otherwise."""
    try:
        return [" ".join(program.command[1:]) for program in stack.programs()]
    except SettingsError:  # which is a finding of its own; with such settings nothing is started
        return ()
