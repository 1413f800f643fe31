"""Who may import whom, and which numbers stand in two places."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_logic.envelope import POISON_QUEUE_NAME, QUEUE_NAME

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "bot_logic").rglob("*.py"))
SDK = ("botbuilder", "botframework", "msrest")


def imports_of(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def may_not_import(module: Path) -> tuple[str, ...]:
    """The import prefixes that a module must stay away from."""
    match module.relative_to(ROOT / "bot_logic").parts:
        case ["wiring.py"]:
            return ("function_app", "local_dev", "tests")
        case ["bot_endpoint", _]:
            return ("bot_logic.queue_worker", "bot_logic.wiring", "local_dev")
        case ["queue_worker", _]:
            return ("bot_logic.bot_endpoint", "bot_logic.wiring", "local_dev", "azure", *SDK)
        case _:
            resources = ("bot_logic.bot_endpoint", "bot_logic.queue_worker", "bot_logic.wiring")
            return (*resources, "local_dev", *SDK)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_imports_point_one_way(module: Path) -> None:
    forbidden = may_not_import(module)
    assert not [name for name in imports_of(module) if name.startswith(forbidden)]


def test_only_entry_points_look_at_the_environment() -> None:
    readers = {
        module.name
        for module in MODULES
        if "os.environ" in module.read_text() or "getenv" in module.read_text()
    }
    assert readers == {"wiring.py", "__main__.py"}


def test_the_poison_queue_is_the_one_that_the_host_uses() -> None:
    assert f"{QUEUE_NAME}-poison" == POISON_QUEUE_NAME
