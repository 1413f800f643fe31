"""A broadcast on a bad day, small: nobody is left out, and nobody is told twice but by a kill."""

import pytest

from tests.resilience.broadcast import Plan, run


async def test_nobody_is_left_out_of_a_broadcast_while_everything_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MicrosoftAppId", "MicrosoftAppPassword", "ChannelService"):
        monkeypatch.setenv(name, "")  # whatever a developer has in local.settings.json
    plan = Plan(recipients=200, kills=1, blips=1)
    told = await run(plan)
    assert told.state == "done"
    assert set(told.counts) <= {"sent", "blocked"}
    assert sum(told.counts.values()) == plan.recipients
    assert told.left_out == []
    assert told.doubled == []
    assert len(told.doubled_by_a_kill) <= 2 * plan.rate * plan.kills  # what a kill finds unnoted
    assert sum(told.faults_hit.values()) > 0
