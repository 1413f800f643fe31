"""What the app itself raised while it was imported, without what loaders have put around it."""

from pathlib import Path
from types import TracebackType


def own_error(error: Exception, app: Path) -> Exception:
    """Return the app's error, with a traceback that begins in the file `app` if that is in it."""
    raised = _without_advice(error)
    return raised.with_traceback(_from(raised.__traceback__, app) or raised.__traceback__)


def _without_advice(error: Exception) -> Exception:
    """Return what was raised, to which the worker has added what might help in Azure.

    It raises another one while it handles the first, beginning with the same words: `wrappers.py`
    of https://pypi.org/project/azure-functions-runtime/
    """
    first = error.__context__
    if isinstance(first, ImportError) and str(error).startswith(str(first)):
        return first
    return error


def _from(trace: TracebackType | None, app: Path) -> TracebackType | None:
    while trace is not None and Path(trace.tb_frame.f_code.co_filename) != app:
        trace = trace.tb_next
    return trace
