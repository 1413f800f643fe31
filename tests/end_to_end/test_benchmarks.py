"""The benchmarks' quick form: each program does the work that it is measured for."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import MEASURES, Measure
from benchmarks.channel import Channel
from benchmarks.goals import GOALS, Outcome, WrongWork, compared
from benchmarks.programs import PEERS_PYTHON
from benchmarks.wire import UnexpectedAnswer, answer, load, post, serving

needs_peers = pytest.mark.skipif(
    not PEERS_PYTHON.exists() and not os.environ.get("CI"),
    reason="the peers are not installed: make peers",
)


def test_every_row_has_a_goal_and_is_measured() -> None:
    assert sorted(key for keys, _ in MEASURES for key in keys) == sorted(GOALS)


def test_a_text_that_is_missing_or_doubled_is_wrong_work() -> None:
    channel = Channel()
    for text in ("one", "two", "two"):
        said = json.dumps({"type": "message", "text": text}).encode()
        channel(b"POST /v3/conversations/a/activities HTTP/1.1", said)
    with pytest.raises(WrongWork, match="1 texts are missing, 2 too many"):
        channel.check(Counter([("a", "one"), ("b", "three")]), "ours")


def test_what_is_said_without_the_bots_token_is_wrong_work() -> None:
    channel = Channel()
    channel.authenticate()
    channel(b"POST /v3/conversations/a/activities HTTP/1.1", b'{"type": "message", "text": "hi"}')
    with pytest.raises(WrongWork, match="without the bot's access token"):
        channel.check(Counter([("a", "hi")]), "ours")


async def test_an_answer_that_is_no_success_is_an_error() -> None:
    async with serving(lambda _head, _body: answer({}, "503 Service Unavailable")) as url:
        with pytest.raises(UnexpectedAnswer, match="503"):
            await load(url, iter([post("/", {})] * 5), connections=2)


@needs_peers
@pytest.mark.parametrize(
    ("keys", "measure"), [pytest.param(*each, id="-".join(each[0])) for each in MEASURES]
)
async def test_a_row_does_its_work(keys: tuple[str, ...], measure: Measure) -> None:
    sides = await measure(1)  # raises if the work was not done
    assert list(sides) == list(keys)
    assert all(rate > 0 for both in sides.values() for rates in both for rate in rates)


def test_the_ratio_is_that_of_a_round_and_not_of_the_medians() -> None:
    outcome = compared("echo", [10, 30, 60], [1, 2, 20])
    assert (outcome.ours, outcome.theirs, outcome.ratio) == (30, 2, 10)


def test_results_say_whether_the_goal_is_met(tmp_path: Path) -> None:
    report.write([Outcome("import", 0.6, 0.5, 1.2)], 1, tmp_path)
    assert "| 1.2 | at most 1.15 | no |" in (tmp_path / "results.md").read_text()
    assert json.loads((tmp_path / "results.json").read_text())["rows"]["import"]["ratio"] == 1.2
