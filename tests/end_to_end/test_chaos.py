"""On a bad day, small: no message is lost, and none is doubled but where a crash allows it."""

from benchmarks.chaos import Plan, run
from local_dev.ports import free_ports
from local_dev.run import Ports


async def test_nothing_is_lost_while_everything_fails() -> None:
    plan = Plan(messages=60, users=6, kills=1)
    outcome = await run(plan, Ports(*free_ports(5)))
    assert outcome.acknowledged == plan.messages
    assert outcome.lost == []
    assert set(outcome.dead_lettered) <= {"ConversationGone"}
    assert sum(outcome.faults_hit.values()) > 0
    assert outcome.doubled == []
    # What the killed host had sent and not yet noted; 24 messages are in flight at most.
    seen_twice = len(outcome.doubled_by_a_kill) + len(outcome.delivered_and_dead_lettered)
    assert seen_twice <= 24 * plan.kills
