"""A broadcast to a tenant of Teams: at its pace, everyone once, each refusal as its own outcome.

Real storage emulator, real Direct Line client and endpoint; the connector enforces Teams' limits.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from local_dev.teams_connector import Refusal, TeamsConnector
from tests.functional import teams
from tests.functional.app_under_test import AppUnderTest
from tests.functional.test_notifications import notify, report

PEOPLE = 300
REFUSING = {3: Refusal.BLOCKED, 50: Refusal.BLOCKED, 7: Refusal.REMOVED, 299: Refusal.SWITCHED_OFF}
MOVED, LOST = 100, 200  # their conversations are gone; only the first may begin a new one


@pytest.fixture
async def connector(app: AppUnderTest) -> AsyncIterator[TeamsConnector]:
    async with teams.connecting(app.wiring.conversations) as connector:
        yield connector


async def test_everyone_is_told_once_at_teams_pace_and_who_refuses_is_told_apart(
    app: AppUnderTest, connector: TeamsConnector
) -> None:
    await teams.met(app.wiring.conversations, connector.url, PEOPLE)
    for number, refusal in REFUSING.items():
        connector.refusals[teams.conversation_of(number)] = refusal
    for number in (MOVED, LOST):
        connector.refusals[teams.conversation_of(number)] = Refusal.GONE
    connector.refusals[teams.user_of(LOST)] = Refusal.SWITCHED_OFF
    notification = await notify(app, {"channel": "msteams"}, text="News")
    assert connector.violations == {}
    told = [each.conversation for each in connector.taken]
    silent = {*REFUSING, MOVED, LOST}
    expected = {teams.conversation_of(n) for n in range(PEOPLE) if n not in silent}
    assert sorted(told) == sorted({*expected, f"a:{teams.user_of(MOVED)}"})
    assert await report(app, notification) == {
        "state": "done",
        "sent": PEOPLE - len(REFUSING) - 1,
        "blocked": 2,
        "removed": 1,
        "switchedOff": 1,
        "gone": 1,
    }


async def until_taken(connector: TeamsConnector, count: int) -> None:
    async with asyncio.timeout(10):
        while True:
            if len(connector.taken) >= count:
                return
            await asyncio.sleep(0.05)


async def test_a_cancelled_broadcast_ends_within_two_seconds_and_the_counts_say_how_far_it_came(
    app: AppUnderTest, connector: TeamsConnector
) -> None:
    await teams.met(app.wiring.conversations, connector.url, PEOPLE)
    sending = asyncio.create_task(notify(app, {"channel": "msteams"}, text="News"))
    await until_taken(connector, 45)
    _, newest = await anext(app.wiring.notifications.store.latest())
    before = len(connector.taken)
    await app.wiring.notifications.orders.cancel(newest)
    await sending
    assert len(connector.taken) - before <= 2 * 45  # what is sent in two seconds
    sent = len(connector.taken)
    assert await report(app, newest) == {
        "state": "cancelled",
        "sent": sent,
        "cancelled": PEOPLE - sent,
    }


async def test_who_never_wrote_is_told_and_where_the_app_is_missing_that_is_said(
    app: AppUnderTest, connector: TeamsConnector
) -> None:
    ada, bob = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
    connector.refusals[bob] = Refusal.NOT_INSTALLED
    to = [
        {"user": each, "tenant": teams.TENANT, "serviceUrl": connector.url} for each in (ada, bob)
    ]
    notification = await notify(app, to, text="Welcome")
    assert await report(app, notification) == {"state": "done", "sent": 1, "notInstalled": 1}
    del connector.refusals[bob]
    again = await notify(app, to, text="Welcome again")
    assert await report(app, again) == {"state": "done", "sent": 2}
    told = sorted((each.conversation, each.text) for each in connector.taken)
    assert told == [
        (f"a:{ada}", "Welcome"),
        (f"a:{ada}", "Welcome again"),
        (f"a:{bob}", "Welcome again"),
    ]
    for each in (ada, bob):  # else a broadcast of another test would go to them
        assert await app.wiring.people.forget_person(each)
