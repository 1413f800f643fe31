"""What importing the app costs, in garbage collection and memory, and what it then serves."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_logic.startup import made_to_stay

ROOT = Path(__file__).parents[2]
SEEN = "import gc; seen = []; gc.callbacks.append(lambda *_: seen.append(1)); {}; print(len(seen))"


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_made_in_the_block_is_not_looked_at_again() -> None:
    with made_to_stay():
        assert not gc.isenabled()
        made = [[]]  # type: ignore[var-annotated]
    assert gc.isenabled()
    assert not any(each is made for each in gc.get_objects())


def test_what_is_made_afterwards_is() -> None:
    with made_to_stay():
        pass
    made = [[]]  # type: ignore[var-annotated]
    assert any(each is made for each in gc.get_objects())


def test_where_nothing_is_collected_nothing_is_afterwards() -> None:
    gc.disable()
    try:
        with made_to_stay():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_app_is_imported_without_looking_for_garbage() -> None:
    assert _collections_during("import function_app") < _collections_during("import aiohttp") / 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says it so")
def test_the_app_once_imported_takes_less_than_90_mb() -> None:
    shown = _printed_by("import function_app; print(open('/proc/self/status').read())")
    kilobytes = int(shown.partition("VmRSS:")[2].split()[0])
    assert kilobytes * 1024 < 90e6


@pytest.mark.parametrize("method", ["GET", "HEAD"])  # to the host, HEAD is a method of its own
def test_load_balancers_may_ask_for_health_either_way(method: str) -> None:
    shown = _printed_by(
        "from function_app import app; print([each.get_trigger().get_dict_repr()"
        " for each in app.get_functions() if each.get_function_name() == 'health'])"
    )
    assert f"HttpMethod.{method}:" in shown


def _collections_during(statement: str) -> int:
    return int(_printed_by(SEEN.format(statement)))


def _printed_by(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
