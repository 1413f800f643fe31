"""After each bad day of notifying everyone: nobody left out, nobody told twice without cause."""

from tests.simulation.notification_day import live

SCHEDULES = 150


def test_everyone_has_one_outcome_in_the_evening_and_it_is_true() -> None:
    for seed in range(SCHEDULES):
        day, found = live(seed)
        assert not found, "\n".join([f"seed {seed}", *found, *day.weather.happened])
