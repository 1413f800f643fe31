"""Whoever reads what a command says: they may stop before it has said all, as `| head` does."""

import os
import sys
from collections.abc import Callable
from typing import Final

READ_NO_MORE: Final = 141  # as a shell has it: 128 and SIGPIPE's number


def for_a_reader(program: Callable[[], int]) -> int:
    """Run a program and return its exit status; it ends without a word once nobody reads it."""
    try:
        status = program()
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go()
        return READ_NO_MORE
    return status


def _let_go() -> None:
    """Lead both streams nowhere: Python flushes once more as it ends, and would complain.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
