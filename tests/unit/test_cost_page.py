"""docs/cost.md: each result follows from the page's own inputs, and the inputs from the app."""

import json
import re

import pytest

from function_app import HOURLY
from local_dev.programs import ROOT

PAGE = (ROOT / "docs/cost.md").read_text()
EXECUTIONS_FREE, GB_SECONDS_FREE, GB_FREE = 250_000, 100_000, 5
PER = {
    "direct_line": 1000,
    "execution": 1_000_000,
    "gb_second": 1,
    "queue": 10_000,
    "table": 10_000,
    "log": 1,
    "alert": 1,
}


def number(text: str) -> float:
    return float(text.replace(",", ""))


def rows(heading: str, table: int = 0) -> list[list[str]]:
    """The cells of a table of a section, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[table].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


PRICES = {row[0].strip("`"): number(row[1]) / PER[row[0].strip("`")] for row in rows("Prices")}
USED = {row[0].strip("`"): number(row[1]) for row in rows("What is used")}
SECONDS = {
    "busy": USED["memory"] / USED["busy_rate"],
    "paced": 2 * USED["memory"] / USED["teams_rate"],
    "single": 2 * USED["memory"] * USED["least_time"],
    "idle": 0.0,
}


def parts(messages: float, how: str, *, of_a_month: bool) -> list[float]:
    """Executions, GB seconds, queue, tables and telemetry, in dollars."""
    sweeps = USED["sweeps"] if of_a_month else 0
    executions = messages * USED["executions"] + sweeps
    gb_seconds = messages * SECONDS[how] + sweeps * USED["memory"] * USED["least_time"]
    telemetry = messages * USED["telemetry"] / 1_000_000
    if of_a_month:
        executions = max(0, executions - EXECUTIONS_FREE)
        gb_seconds = max(0, gb_seconds - GB_SECONDS_FREE)
        telemetry = max(0, telemetry - GB_FREE)
    return [
        executions * PRICES["execution"],
        gb_seconds * PRICES["gb_second"],
        messages * USED["queue_operations"] * PRICES["queue"],
        messages * USED["table_operations"] * PRICES["table"],
        telemetry * PRICES["log"],
    ]


@pytest.mark.parametrize("row", rows("1,000 messages"), ids=lambda row: row[0])
def test_a_thousand_messages_cost_what_the_formula_says(row: list[str]) -> None:
    how, *cells, direct_line = row
    each = parts(1000, how, of_a_month=False)
    assert cells == [f"{part:.4f}" for part in (*each, sum(each))]
    assert direct_line == f"{1000 * PRICES['direct_line']:.2f}"


@pytest.mark.parametrize("row", rows("A month"), ids=lambda row: row[0])
def test_a_month_costs_what_the_formula_says(row: list[str]) -> None:
    name, messages, *cells, direct_line = row
    how = name.rpartition(" ")[2]
    each = [*parts(number(messages), how, of_a_month=True), USED["alerts"] * PRICES["alert"]]
    assert cells == [f"{part:.2f}" for part in (*each, sum(each))]
    assert direct_line == f"{number(messages) * PRICES['direct_line']:.2f}"


def test_the_gb_seconds_are_worked_out() -> None:
    stated = [number(row[1].rpartition("= ")[2]) for row in rows("What is used", 1)]
    assert stated == [round(SECONDS[how], 4) for how in ("busy", "paced", "single")]


def test_what_is_free_is_what_the_page_says() -> None:
    said = " ".join(PAGE.split())
    assert f"{EXECUTIONS_FREE:,} executions and {GB_SECONDS_FREE:,} GB seconds" in said
    assert f"{GB_FREE} GB of telemetry" in said


def test_the_inputs_are_the_apps_own() -> None:
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    assert USED["queue_operations"] == 2 + 1 / queues["batchSize"]
    assert re.fullmatch(r"0 \d+ \* \* \* \*", HOURLY)
    main, alerts = (
        (ROOT / name).read_text() for name in ("infra/main.bicep", "infra/modules/alerts.bicep")
    )
    assert f"param instanceMemory int = {1024 * USED['memory']:.0f}" in main
    assert len(re.findall(r"^    query: ", alerts, re.MULTILINE)) == USED["alerts"]
    assert "evaluationFrequency: 'PT5M'" in alerts


def test_the_inputs_are_those_of_the_performance_page() -> None:
    performance = " ".join((ROOT / "docs/performance.md").read_text().split())
    assert f"about {USED['busy_rate']:.0f} deliveries a second and core" in performance
    assert f"{USED['teams_rate']:.0f} requests a second per app and tenant" in performance
    assert "$0.40 a million" in performance
    assert f"at ${PRICES['gb_second']:.6f} a GB second" in performance
    assert "at about $0.50 for 1,000 messages" in performance
