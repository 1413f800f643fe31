"""What was sent to a browser is replaced there, and disappears."""

import pytest

from tests.end_to_end.conftest import Chat, NewChat, RunningStack
from tests.end_to_end.test_notifications import call, done

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITHIN = 10_000  # milliseconds


async def sees_no_more(chat: Chat, text: str) -> None:
    shown = chat.page.locator(".webchat__bubble__content").filter(has_text=text)
    await shown.first.wait_for(state="detached", timeout=WITHIN)


async def test_a_message_is_edited_and_recalled_before_the_users_eyes(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    everyone = {"to": {"all": True, "at_most": 100}, "text": "The shift starts at nine"}
    taken = await call(running, "POST", "notifications", everyone)
    await chat.sees("The shift starts at nine")
    original = f"notifications/{taken['id']}"
    await done(running, taken["id"])
    edit = await call(running, "PATCH", original, {"text": "The shift starts at ten"})
    await chat.sees("The shift starts at ten")
    await sees_no_more(chat, "The shift starts at nine")
    assert set((await done(running, edit["id"]))["counts"]) == {"edited"}
    recall = await call(running, "POST", f"{original}/recall", {})
    await sees_no_more(chat, "The shift starts at ten")
    assert (await done(running, recall["id"]))["verb"] == "recall"
    await chat.page.reload()
    await chat.is_welcomed()
    assert not any("The shift" in seen for seen in await chat.all_it_sees())
