"""Which process listens on a port of this machine."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LISTENING: Final = "0A"  # TCP_LISTEN; https://docs.kernel.org/networking/proc_net_tcp.html
LSOF_TIMEOUT: Final = 10.0  # seconds

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that listens.

    Attributes:
        pid: its process id.
        name: its program's name.
        command: with all its arguments, which may hold secrets: never to be shown.
    """

    pid: int
    name: str
    command: str


def owner_of(port: int) -> Owner | None:
    """Return who listens on a TCP port; None if nobody does, or if that is not ours to see."""
    pid = by_proc(port) if (_PROC / "net/tcp").exists() else by_lsof(port)
    return None if pid is None else _described(pid)


def by_proc(port: int) -> int | None:
    """Return a process id as Linux tells it: sockets by port, then whose file each of them is."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in _PROC.glob("[0-9]*"):
        try:
            if any(str(each.readlink()) in sockets for each in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:  # another user's, or it has just ended
            continue
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("net/tcp", "net/tcp6"):
        path = _PROC / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                yield inode


def by_lsof(port: int) -> int | None:
    """Return a process id as lsof tells it, which macOS has."""
    for line in _printed("lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fp").splitlines():
        if line.startswith("p") and line[1:].isdecimal():
            return int(line[1:])
    return None


def _described(pid: int) -> Owner | None:
    name = _printed("ps", "-o", "comm=", "-p", str(pid)).strip()
    command = _printed("ps", "-ww", "-o", "args=", "-p", str(pid)).strip()
    return Owner(pid, Path(name).name, command)


def _printed(program: str, *arguments: str) -> str:
    """Return what a program prints; nothing if it is not there."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - ps and lsof
            [path, *arguments], capture_output=True, timeout=LSOF_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")
