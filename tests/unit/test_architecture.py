"""What import-linter (pyproject.toml) cannot say, and which numbers have to fit together."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot_logic.access_token import CALL_TIMEOUT as TOKEN_TIMEOUT
from bot_logic.bot import COUNT_TIMEOUT, REPLY_TIMEOUT, TYPING_TIMEOUT
from bot_logic.bot_endpoint.endpoint import TURN_TIMEOUT
from bot_logic.bot_endpoint.sdk.connector import CALL_TIMEOUT as CHANNEL_TIMEOUT
from bot_logic.bot_endpoint.trigger import DELIVERY_TIMEOUT
from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.delivery.idempotency import LEASE
from bot_logic.queue_worker.direct_line import CALL_TIMEOUT as WORKER_TIMEOUT
from bot_logic.storage.signed_requests import TOTAL_TIMEOUT

ROOT = Path(__file__).parents[2]
BOT_LOGIC = ROOT / "bot_logic"
MODULES = sorted(BOT_LOGIC.rglob("*.py"))
BOT_SDK = ("botbuilder", "botframework", "msrest")
DIRECT_LINE_WAITS = 15  # seconds for the bot, then it tells the user that sending failed


def room_of(module: Path) -> str:
    """The package or the module right below bot_logic."""
    return module.relative_to(BOT_LOGIC).parts[0]


def imports_of(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def contracts() -> list[dict[str, Any]]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return linter["contracts"]  # type: ignore[no-any-return]


def beside_the_bot() -> set[str]:
    """What a user of this project has put beside bot.py, on lines as docs/upgrading.md says."""
    (layers,) = (contract["layers"] for contract in contracts() if contract["type"] == "layers")
    rooms = [set(layer.split(" | ")) for layer in layers]
    bot, endpoint = (
        next(n for n, line in enumerate(rooms) if name in line) for name in ("bot", "bot_endpoint")
    )
    return set().union(*rooms[bot + 1 : endpoint])


OURS = [each for each in MODULES if room_of(each).removesuffix(".py") not in beside_the_bot()]


def test_only_entry_points_look_at_the_environment() -> None:
    readers = {
        room_of(module)
        for module in MODULES
        if "os.environ" in module.read_text() or "getenv" in module.read_text()
    } - {"functions.py"}  # which is the user's
    assert readers == {"startup.py", "admin"}


def imports_the_bot_sdk(module: Path) -> bool:
    packages = {name.partition(".")[0] for name in imports_of(module)}
    return not packages.isdisjoint(BOT_SDK)


def test_only_the_bot_and_its_endpoint_know_the_bot_sdk() -> None:
    assert {room_of(each) for each in OURS if imports_the_bot_sdk(each)} == {
        "bot.py",
        "bot_endpoint",
    }
    local = (ROOT / "local_dev").rglob("*.py")
    others = [ROOT / "function_app.py", *(e for e in local if "node_modules" not in e.parts)]
    assert not any(map(imports_the_bot_sdk, others))


def test_what_leaving_the_bot_sdk_would_change_is_listed_whole() -> None:
    page = (ROOT / "docs/decisions/0027-leaving-the-bot-sdk.md").read_text()
    table = page.partition("## What would have to be written")[2].partition("\n\n`sdk/")[0]
    listed = re.findall(r"`((?:bot_endpoint/)?[\w/]+\.py)`", table.partition("|---|")[2])
    importers = [each for each in OURS if imports_the_bot_sdk(each)]
    assert sorted(listed) == sorted(str(each.relative_to(BOT_LOGIC)) for each in importers)


def test_no_room_is_left_out_of_the_contracts_on_the_bot_sdk() -> None:
    named = {
        name.removeprefix("bot_logic.")
        for contract in contracts()
        if contract.get("forbidden_modules") == list(BOT_SDK)
        for name in contract["source_modules"]
    }
    rooms = {room_of(module).removesuffix(".py") for module in OURS}
    assert named == rooms - {"__init__", "bot", "bot_endpoint", "functions"}


@pytest.mark.parametrize("package", ["azure.storage", "azure.data"])
def test_only_storage_knows_azure_storage(package: str) -> None:
    importers = {
        room_of(module)
        for module in MODULES
        if any(f"{name}.".startswith(f"{package}.") for name in imports_of(module))
    }
    assert importers == {"storage"}


def test_the_poison_queue_is_the_one_that_the_host_uses() -> None:
    assert f"{QUEUE_NAME}-poison" == POISON_QUEUE_NAME


def test_a_turn_whose_every_step_is_slow_ends_before_direct_line_gives_up() -> None:
    slowest = TYPING_TIMEOUT + TOTAL_TIMEOUT + COUNT_TIMEOUT + REPLY_TIMEOUT
    assert slowest < TURN_TIMEOUT < DIRECT_LINE_WAITS < (WORKER_TIMEOUT.total or 0)


def test_a_lease_outlives_the_slowest_delivery() -> None:
    of_calls = [timeout.total or float("inf") for timeout in (CHANNEL_TIMEOUT, TOKEN_TIMEOUT)]
    assert DELIVERY_TIMEOUT + sum(of_calls) + TOTAL_TIMEOUT < LEASE
