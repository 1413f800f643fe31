"""One `make run` a folder: two Azurites on the same files would each write over the other's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local_dev.programs import ProcessError

if sys.platform != "win32":
    import fcntl


@contextmanager
def claimed(folder: Path, advice: str) -> Iterator[None]:
    """Keep the folder to this process, until it ends at the latest.

    Raises:
        ProcessError: another process has it, and the advice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "in-use").open("a") as file:
        if not _lock(file):
            raise ProcessError(f"another `make run` keeps its data in {folder}. {advice}")
        yield


def _lock(file: IO[str]) -> bool:
    if sys.platform == "win32":  # where `make run` says that it needs WSL
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # not every file system has locks
        return True
    return True
