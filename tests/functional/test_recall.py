"""Recalls and edits on the real storage emulator: locally, and at Teams' pace."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bot_logic.notifications.orders import Taken
from local_dev.teams_connector import Refusal, TeamsConnector
from tests.functional import teams
from tests.functional.app_under_test import AppUnderTest
from tests.functional.test_notifications import notify, report

PEOPLE = 120
BLOCKED, GONE, DELETED = 3, 7, 50  # what has become of them since it was sent


@pytest.fixture
async def connector(app: AppUnderTest) -> AsyncIterator[TeamsConnector]:
    async with teams.connecting(app.wiring.conversations) as connector:
        yield connector


async def done(app: AppUnderTest, taken: Taken | None) -> Mapping[str, Any]:
    """Send what is due of a recall or an edit, and say what became of it."""
    assert taken is not None
    for lane in taken.lanes:
        await app.wiring.wake_ups.pump.run(lane)
    return await report(app, taken.id)


async def test_a_broadcast_is_edited_and_recalled_at_teams_pace(
    app: AppUnderTest, connector: TeamsConnector
) -> None:
    await teams.met(app.wiring.conversations, connector.url, PEOPLE)
    notification = await notify(app, {"channel": "msteams"}, text="At 9")
    changes = app.wiring.notifications.changes
    edit = await done(app, await changes.edit(notification, {"type": "message", "text": "At 10"}))
    assert edit == {"state": "done", "edited": PEOPLE}
    assert [each.text for each in connector.taken] == ["At 10"] * PEOPLE
    connector.refusals[teams.conversation_of(BLOCKED)] = Refusal.BLOCKED
    connector.refusals[teams.conversation_of(GONE)] = Refusal.GONE
    connector.refusals[teams.conversation_of(DELETED)] = Refusal.NO_ACTIVITY
    recall = await done(app, await changes.recall(notification))
    assert recall == {"state": "done", "recalled": PEOPLE - 3, "blocked": 1, "gone": 2}
    assert sum(not each.deleted for each in connector.taken) == 3
    assert connector.violations == {}


async def test_a_message_disappears_from_a_conversation(app: AppUnderTest) -> None:
    ada = await app.user("dl_recalled_ada")
    notification = await notify(app, {"user": "dl_recalled_ada"}, text="Oops")
    assert (await ada.hears(2))[1:] == ["Oops"]
    recall = await done(app, await app.wiring.notifications.changes.recall(notification))
    assert recall == {"state": "done", "recalled": 1}
    again = await done(app, await app.wiring.notifications.changes.recall(notification))
    assert again == recall
