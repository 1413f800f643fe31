"""After each bad day: nothing is lost, nothing came twice without cause, nothing both ended."""

from tests.simulation.bad_day import live
from tests.simulation.dependencies import CHANNEL, DIRECT_LINE, READS, REPLACE, STORAGE
from tests.simulation.many import run_many

SCHEDULES = 500
CALLS = {
    "queue.put": STORAGE,
    "table.idempotency.read": READS,
    "table.idempotency.insert": STORAGE,
    "table.idempotency.replace": REPLACE,
    "table.deadletters.put": REPLACE,
    "channel.send": CHANNEL,
    "direct_line.post": DIRECT_LINE,
    "host.delete": STORAGE,
}


def test_all_is_well_in_the_evening_and_every_fault_met_every_call() -> None:
    wrong, met = run_many(range(SCHEDULES))
    assert not wrong, "\n".join(wrong)
    missed = [(c, k) for c, kinds in CALLS.items() for k in kinds if not met[c, k.value]]
    assert not missed
    assert all(met[f"host of worker {number}", "stopped"] for number in range(2))
    assert all(met[f"process of worker {number}", "killed"] for number in range(2))


def test_a_day_is_the_same_each_time() -> None:
    first, again = live(7)[0], live(7)[0]
    assert first.weather.happened == again.weather.happened
    assert first.channel.arrived == again.channel.arrived
