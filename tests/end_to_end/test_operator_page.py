"""The operator page in a real browser, on all that `make run` starts."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue.aio import QueueClient
from playwright.async_api import Browser, Locator, Page, Route, expect

from bot_logic.bot_endpoint.recipient_commands import Texts
from bot_logic.contract.envelope import POISON_QUEUE_NAME
from local_dev.operator_page.app import PAGE
from tests.end_to_end.conftest import NewChat, RunningStack

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).with_name("axe.js")
CARDS = PAGE / "adaptivecards.js"
EVIL = '<img src=x onerror="document.title = 1">'
CARD = {
    "type": "AdaptiveCard",
    "version": "1.4",
    "body": [{"type": "TextBlock", "text": f"Two pizzas for one {EVIL}"}],
    "actions": [{"type": "Action.OpenUrl", "title": "Order", "url": "https://example.com"}],
}


@pytest.fixture
def transport() -> str:
    return "websocket"


class Operator:
    """Somebody at the operator page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self._url = page, url
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    async def opens(self, section: str) -> Locator:
        """Go to a section by its link, with the keyboard."""
        if not self.page.url.startswith(self._url):
            await self.page.goto(self._url)
        link = self.page.get_by_role("link", name=section)
        await link.focus()
        await self.page.keyboard.press("Enter")
        shown = self.page.get_by_role("region", name=section)
        await expect(shown).to_be_visible()
        return shown

    async def presses(self, name: str, within: Locator | None = None) -> None:
        button = (within or self.page).get_by_role("button", name=name, exact=True)
        await button.focus()
        await self.page.keyboard.press("Enter")

    async def sends(self, text: str, *, later: str = "", previewed: str = "") -> None:
        section = await self.opens("Send")
        await section.get_by_label("At most").fill("500")
        await section.get_by_label("Text").fill(text)
        await section.get_by_label("When").fill(later)
        await self.presses("Send …", section)
        await expect(self.page.get_by_role("dialog")).to_contain_text(previewed)
        await self.presses("Send it")
        await expect(section).to_be_hidden()  # as the newest ones are shown

    async def finds(self, words: str) -> Locator:
        """Find a notification by its words, and stay with it whatever it says later."""
        section = await self.opens("Notifications")
        found = section.get_by_role("article").filter(has_text=words).first
        mark = await found.evaluate("(it) => (it.id ||= crypto.randomUUID())")
        return self.page.locator(f'[id="{mark}"]')

    async def is_clean(self) -> None:
        """Fail on whatever axe finds, by name."""
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run()")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


@pytest_asyncio.fixture(loop_scope="session")
async def operator(running: RunningStack, browser: Browser) -> AsyncIterator[Operator]:
    if not (AXE.exists() and CARDS.exists()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("`make test` fetches axe and cards")
    context = await browser.new_context(
        viewport={"width": 900, "height": 820}, device_scale_factor=2
    )
    it = Operator(await context.new_page(), f"{running.chat_page}/operator")
    yield it
    assert it.complaints == []
    await context.close()


async def dead_letter(running: RunningStack, message: Any) -> None:
    letter = {"error": "Refused", "reason": f"no {EVIL}", "message": message}
    connection = running.stack.storage_connection
    async with QueueClient.from_connection_string(connection, POISON_QUEUE_NAME) as queue:
        with suppress(ResourceExistsError):
            await queue.create_queue()
        await queue.send_message(json.dumps(letter))


async def test_everything_at_a_glance(
    operator: Operator, new_chat: NewChat, tmp_path: Path
) -> None:
    ada, _bob = await new_chat(), await new_chat()
    await operator.sends("Two pizzas for one, today only")
    await ada.sees("Two pizzas for one, today only")
    await operator.sends("Tomorrow three", later="2030-01-31T09:00")
    later, sent = await operator.finds("Tomorrow three"), await operator.finds("today only")
    await expect(later).to_contain_text("scheduled")
    await expect(sent).to_contain_text("done")
    await sent.get_by_text("Recipients and reasons").click()
    await expect(sent.get_by_role("table")).to_contain_text("directline")
    await operator.is_clean()
    picture = os.environ.get("PICTURE") or tmp_path / "operator.png"
    assert await operator.page.screenshot(path=picture)
    await operator.presses("Cancel", later)
    await operator.is_clean()
    await operator.presses("Cancel it")
    await expect(later).to_contain_text("cancelled")


async def test_a_card_is_drawn_before_it_is_sent(operator: Operator, new_chat: NewChat) -> None:
    ada = await new_chat()
    section = await operator.opens("Send")
    await section.get_by_label("At most").fill("500")
    await section.get_by_text("A card", exact=True).click()
    await section.get_by_label("Adaptive Card").fill(json.dumps(CARD))
    await operator.presses("Preview", section)
    preview = section.get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("would get this")
    await expect(preview).to_contain_text(EVIL)
    await expect(preview.get_by_role("link", name="Order")).to_be_visible()
    await operator.is_clean()
    await operator.presses("Send …", section)
    await operator.presses("Send it")
    await ada.sees("Two pizzas for one")


async def test_a_refusal_is_said_and_nothing_is_sent(operator: Operator, new_chat: NewChat) -> None:
    await new_chat()
    section = await operator.opens("Send")
    await section.get_by_label("To", exact=True).select_option("One person")
    await section.get_by_label("Id or name").fill("nobody-knows-them")
    await section.get_by_label("Text").fill("hello")
    await operator.presses("Send …", section)
    await operator.presses("Send it")
    await expect(operator.page.get_by_role("status")).to_contain_text("404 UnknownRecipient")
    operator.complaints.clear()  # the browser's own word about the 404
    await expect(section).to_be_visible()


async def test_what_more_would_get_than_at_most_is_refused_before_it_is_sent(
    operator: Operator, new_chat: NewChat
) -> None:
    await new_chat()
    await new_chat()
    section = await operator.opens("Send")
    await section.get_by_label("At most").fill("1")
    await section.get_by_label("Text").fill("hello")
    await operator.presses("Preview", section)
    preview = section.get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("Nobody would get this")
    await operator.is_clean()
    await operator.presses("Send …", section)
    await expect(operator.page.get_by_role("status")).to_contain_text("at most 1 may get it.")
    await expect(operator.page.get_by_role("dialog")).to_have_count(0)
    await section.get_by_label("At most").fill("500")
    await operator.presses("Preview", section)
    await expect(preview).to_contain_text("would get this")
    await expect(preview).not_to_contain_text("Nobody")


async def test_what_is_still_being_sent_can_be_recalled_but_not_edited(operator: Operator) -> None:
    id_, created = "0f8fad5bd9cb469fa16570867728950e", "2030-01-31T08:00:00Z"
    report = {"id": id_, "to": {"all": True}, "created": created, "at": created, "planned": True}
    report |= {"text": "On its way", "recipients": 2, "counts": {"sent": 1, "open": 1}}
    state = "sending"

    async def answer(route: Route) -> None:
        now = report | {"state": state}
        is_one = route.request.url.endswith(id_)
        await route.fulfill(json=now if is_one else {"notifications": [now]})

    await operator.page.route(re.compile(r"/operator/api/notifications(/\w+)?$"), answer)
    found = await operator.finds("On its way")
    await expect(found.get_by_role("button", name="Recall")).to_be_visible()
    await expect(found.get_by_role("button", name="Edit")).to_be_hidden()
    state = "cancelled"
    await expect(found.get_by_role("button", name="Edit")).to_be_visible()
    await expect(found.get_by_role("button", name="Cancel")).to_be_hidden()


async def test_a_conversation_subscribes_to_a_topic(operator: Operator, new_chat: NewChat) -> None:
    await new_chat()
    section = await operator.opens("Conversations")
    known = section.get_by_role("article").first
    await known.get_by_role("textbox").fill(EVIL)
    await operator.presses("Subscribe", known)
    await expect(known.get_by_role("listitem")).to_contain_text(EVIL)
    await operator.is_clean()
    await operator.presses(f"Unsubscribe from {EVIL}", known)
    await expect(known.get_by_role("listitem")).to_have_count(0)


async def test_who_said_stop_is_left_out_until_an_operator_starts_broadcasts_again(
    operator: Operator, new_chat: NewChat
) -> None:
    ada = await new_chat()
    await ada.says("stop")
    await ada.sees(Texts().stopped)
    await operator.sends("Half price", previewed="Left out: 1 said stop.")
    await expect(await operator.finds("Half price")).to_contain_text("1 optedOut")
    section = await operator.opens("Conversations")
    stopped = section.get_by_role("article").filter(has_text="Left out of broadcasts since")
    await expect(stopped).to_have_count(1)
    await operator.is_clean()
    await operator.presses("Start broadcasts", stopped)
    await expect(stopped).to_have_count(0)
    await operator.sends("Full price")
    await ada.sees("Full price")
    assert "Half price" not in await ada.all_it_sees()


async def test_dead_letters_are_read_replayed_and_purged(
    operator: Operator, running: RunningStack
) -> None:
    conversation = {
        "channelId": EVIL,
        "serviceUrl": "http://localhost",
        "conversation": {"id": "c"},
    }
    await running.restart("functions", **{"AzureWebJobs.hand_to_bot.Disabled": "true"})
    for number in range(2):
        message = {"id": f"m{number}", "text": f"{EVIL} {number}", "conversation": conversation}
        await dead_letter(running, message)
    section = operator.page.get_by_role("region", name="Dead letters")
    letters = section.get_by_role("article")
    async with asyncio.timeout(20):
        await operator.opens("Dead letters")
        while await letters.count() < 2:
            await operator.page.reload()
            await expect(section.locator("article, .empty").first).to_be_visible()
    await letters.first.get_by_text("The message").click()
    await expect(letters.first.locator("pre")).to_contain_text("<img src=x")
    await operator.is_clean()
    await operator.presses("Replay", letters.first)
    await expect(letters).to_have_count(1)
    await operator.presses("Purge", letters.first)
    await operator.presses("Purge it")
    await expect(section).to_contain_text("Nothing was given up.")
    await running.restart("functions")


async def test_what_was_sent_is_edited_and_taken_back(
    operator: Operator, new_chat: NewChat
) -> None:
    ada = await new_chat()
    await operator.sends("Closed today")
    await ada.sees("Closed today")
    sent = await operator.finds("Closed today")
    await expect(sent).to_contain_text("done")
    await operator.presses("Edit", sent)
    dialog = operator.page.get_by_role("dialog")
    await operator.presses("Replace it", dialog)
    await expect(dialog.get_by_role("alert")).to_contain_text("Write a text")
    await dialog.get_by_label("Text").fill("Open today")
    await operator.is_clean()
    await operator.presses("Replace it", dialog)
    await ada.sees("Open today")
    await operator.finds("edited")
    await operator.presses("Recall", sent)
    await operator.presses("Recall it")
    await expect(sent).to_contain_text("recalled")
    await expect(sent.get_by_role("button", name="Recall")).to_be_hidden()
    await operator.is_clean()
    gone = ada.page.locator(".webchat__bubble__content").filter(has_text="Open today")
    await expect(gone).to_have_count(0)
