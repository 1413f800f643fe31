"""The alerts and the workbook ask for what the app tells: one list of names for both."""

import re
import shutil
from pathlib import Path

import pytest

from bot_logic.telemetry.log_events import Event
from bot_logic.telemetry.names import METRICS, SPANS, Kind
from tests.infra.tools import HERE, INFRA, checker, run

QUERIES = sorted((INFRA / "queries").glob("*.kql"))


def test_each_metric_that_is_asked_for_is_one_that_the_app_tells() -> None:
    told = {metric.name for metric in METRICS}
    asked = set(re.findall(r'"(proactive_bot\.[\w.]+\w)"', "".join(map(Path.read_text, QUERIES))))
    assert asked
    assert asked <= told


def test_what_is_asked_of_invocations_leaves_out_the_apps_own_requests() -> None:
    """As Azure Monitor calls spans that somebody else asked for."""
    theirs = {span.name for span in SPANS if span.kind in (Kind.SERVER, Kind.CONSUMER)}
    asking = [query for query in map(Path.read_text, QUERIES) if "AppRequests" in query]
    assert len(asking) == 2
    for query in asking:
        assert set(re.findall(r'"([^"]+)"', query.partition("!in (")[2])) == theirs


def test_the_log_event_that_is_asked_for_is_one_that_the_app_logs() -> None:
    asked = re.findall(r'Message has "([^"]+)"', "".join(map(Path.read_text, QUERIES)))
    assert asked == [Event.DEAD_LETTER_FILED.value]


def kql_diagnostics(*queries: Path) -> str:
    parser = Path(checker("python")).parent.parent / "kql"
    done = run(str(shutil.which("node")), HERE / "kql_diagnostics.cjs", parser, *queries)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_microsofts_parser_finds_nothing_wrong() -> None:
    assert kql_diagnostics(*QUERIES) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("summarize", "sumarize", "Query operator expected"),
        ("ItemCount,", "Items,", "'Items' does not refer to any known column"),
        ("sumif", "sumIf", "'sumIf' does not refer to any known function"),
    ],
)
def test_what_is_wrong_in_a_query_is_found(
    right: str, wrong: str, said: str, tmp_path: Path
) -> None:
    query = (INFRA / "queries/failures.kql").read_text()
    assert right in query
    (tmp_path / "wrong.kql").write_text(query.replace(right, wrong))
    assert said in kql_diagnostics(tmp_path / "wrong.kql")


def test_each_query_is_used() -> None:
    modules = "".join(module.read_text() for module in (INFRA / "modules").iterdir())
    assert {f"'../queries/{query.name}'" for query in QUERIES} == set(
        re.findall(r"'\.\./queries/[\w-]+\.kql'", modules)
    )


@pytest.mark.parametrize(
    ("query", "column"),
    [("dead-letters", "DeadLetters"), ("oldest-message", "Max"), ("failures", "FailedPercent")],
)
def test_an_alert_measures_a_column_that_its_query_has(query: str, column: str) -> None:
    alerts = (INFRA / "modules/alerts.bicep").read_text()
    rule = alerts.partition(f"'../queries/{query}.kql'")[2]
    assert rule.partition("column: '")[2].startswith(f"{column}'")
    # Max is the table's: https://learn.microsoft.com/azure/azure-monitor/reference/tables/appmetrics
    assert column == "Max" or f"{column} =" in (INFRA / f"queries/{query}.kql").read_text()
