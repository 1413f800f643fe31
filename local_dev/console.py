"""What `make run` says: to a terminal, or to a pipe whose reader Ctrl-C has ended, too."""

import os
import sys
from typing import TextIO


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line to stdout, or elsewhere; never fail, as what comes next may be the stopping.

    What the terminal's encoding does not know is escaped. Once nobody reads any more, nothing is
    printed any more.
    """
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError:
        _let_go(stream)


def _let_go(stream: TextIO) -> None:
    """Lead a stream nowhere: Python flushes once more as it ends, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
