"""On a bad day, small: no message is lost, and none is doubled but where a crash allows it."""

import pytest

from tests.resilience.chaos import Plan, run

IN_FLIGHT = 24  # messages on one host, at most: batchSize and newBatchThreshold in host.json


async def test_nothing_is_lost_while_everything_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MicrosoftAppId", "MicrosoftAppPassword", "ChannelService"):
        monkeypatch.setenv(name, "")  # whatever a developer has in local.settings.json
    plan = Plan(messages=60, users=6, kills=1, blips=1)
    outcome = await run(plan)
    assert outcome.acknowledged == plan.messages
    assert outcome.lost == []
    assert set(outcome.dead_lettered) <= {"ConversationBlocked"}
    assert sum(outcome.faults_hit.values()) > 0
    assert outcome.doubled == []
    # What the killed host had sent and not yet noted.
    seen_twice = len(outcome.doubled_by_a_kill) + len(outcome.delivered_and_dead_lettered)
    assert seen_twice <= IN_FLIGHT * plan.kills
