"""Garbage collection while the app is imported, and afterwards."""

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


def _collections_during(statement: str) -> int:
    output = subprocess.run(
        [sys.executable, "-c", SEEN.format(statement)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return int(output)
