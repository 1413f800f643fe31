"""The benchmarks' quick form: each program does the work that it is measured for."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import MEASURES, Measure
from benchmarks.activities import Sayings
from benchmarks.channel import Channel
from benchmarks.goals import GOALS
from benchmarks.load import Load, UnexpectedAnswer
from benchmarks.outcome import Outcome, WrongWork
from benchmarks.plan import QUICK
from benchmarks.programs import PEERS_PYTHON
from benchmarks.raw_http import json_answer, serving
from benchmarks.turns import check_said

needs_peers = pytest.mark.skipif(
    not PEERS_PYTHON.exists() and not os.environ.get("CI"),
    reason="the peers are not installed: make peers",
)


def test_every_row_has_a_goal_and_is_measured() -> None:
    assert sorted(key for keys, _ in MEASURES for key in keys) == sorted(GOALS)


def test_a_text_that_is_missing_or_doubled_is_wrong_work() -> None:
    channel = Channel()
    for text in ("one", "two", "two"):
        channel(b"POST /v3/conversations/a/activities HTTP/1.1", _message(text))
    with pytest.raises(WrongWork, match="1 texts are missing, 2 too many"):
        check_said(channel, Counter([("a", "one"), ("b", "three")]), "ours")


async def test_an_answer_that_is_no_success_is_an_error() -> None:
    async with serving(lambda _head, _body: json_answer(b"{}", "503 Service Unavailable")) as url:
        with pytest.raises(UnexpectedAnswer, match="503"):
            await Load(url, 2).run(Sayings(url), 5)


def _message(text: str) -> bytes:
    return json.dumps({"type": "message", "text": text}).encode()


@needs_peers
@pytest.mark.parametrize(
    ("keys", "measure"), [pytest.param(*each, id="-".join(each[0])) for each in MEASURES]
)
async def test_a_row_does_its_work(keys: tuple[str, ...], measure: Measure) -> None:
    if keys == ("turn_worker",):
        pytest.importorskip("azure_functions_runtime")  # for Python 3.13 and later
    outcomes = await measure(QUICK)  # raises if the work was not done
    assert [outcome.key for outcome in outcomes] == list(keys)
    assert all(outcome.ratio > 0 for outcome in outcomes)


def test_rows_that_are_not_measured_again_keep_their_run(tmp_path: Path) -> None:
    report.write([Outcome("echo", "turns", 2, 1, 2, 2, 2)], QUICK, tmp_path)
    written = json.loads((tmp_path / "results.json").read_text())
    (run,) = written["runs"]
    document = json.dumps(written).replace(run, "long ago")
    (tmp_path / "results.json").write_text(document)
    report.write([Outcome("turn", "turns", 3, 1, 3, 3, 3)], QUICK, tmp_path)
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert {key: row["run"] for key, row in rows.items()} == {"echo": "long ago", "turn": run}
    assert "## Run 2: " in (tmp_path / "results.md").read_text()
