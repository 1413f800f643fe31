"""A shorter cold start.

Importing makes hundreds of thousands of objects, and they stay. Python looks for garbage among them
again and again nevertheless, for a tenth of the time that the imports take.
https://docs.python.org/3/library/gc.html#gc.freeze
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def made_to_stay() -> Iterator[None]:
    """What is made in this block is never looked at for garbage, neither now nor later."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
