"""Who has read a message says so by its button, and the operator sees it."""

import pytest

from tests.end_to_end.conftest import NewChat, RunningStack
from tests.end_to_end.test_cards import press
from tests.end_to_end.test_notifications import call, done

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_press_of_got_it_is_seen_in_the_report(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    everyone = {"to": {"all": True, "at_most": 100}, "text": "Fire drill at noon"}
    taken = await call(running, "POST", "notifications", {**everyone, "acknowledge": "I know"})
    await chat.page.get_by_text("Fire drill at noon", exact=True).last.wait_for(timeout=10_000)
    assert (await done(running, taken["id"]))["acknowledged"] == 0
    await press(chat, "I know")
    await chat.sees("✓ I know")
    report = await call(running, "GET", f"notifications/{taken['id']}")
    assert report["acknowledged"] == 1
    recipients = await call(running, "GET", f"notifications/{taken['id']}/recipients")
    assert sum("acknowledged" in each for each in recipients["recipients"]) == 1
