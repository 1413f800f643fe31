"""What a program puts on the queue as an activity is shown as one: cards, Markdown, buttons."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import azure.functions as func
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.storage.queue.aio import QueueClient
from playwright.async_api import Browser

from bot_logic.bot_endpoint import MakeBot
from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.notifications import QUEUE_NAME as WAKE_UPS
from bot_logic.settings import Settings
from bot_logic.storage.memory import MemoryStorage
from bot_logic.wiring import Wiring
from examples.menu_bot import MenuBot
from local_dev import direct_line
from local_dev.functions_host.route import route
from tests.end_to_end.conftest import SECRET, Chat, NewChat, RunningStack
from tests.expected import acknowledgement, answer, sends_activities

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADAPTIVE_CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [{"type": "TextBlock", "text": "Your pizza is in the oven", "size": "Large"}],
        "actions": [{"type": "Action.Submit", "title": "Add chili", "data": {"chili": True}}],
    },
}
HERO_CARD = {
    "contentType": "application/vnd.microsoft.card.hero",
    "content": {
        "title": "Table for two",
        "buttons": [{"type": "imBack", "title": "Confirm", "value": "I confirm the table"}],
    },
}


async def notify(running: RunningStack, chat: Chat, activity: dict[str, Any]) -> None:
    """Put an activity for this window's user on the queue, as any other program does."""
    if not await sends_activities():
        pytest.skip("the bot in bot_logic/bot.py sends no activities")
    user_id = await chat.page.evaluate("localStorage.getItem('proactive-bot-user')")
    async with running.direct_line() as direct_line:
        conversations = await direct_line.call("GET", "/local/conversations")
    (known,) = [each for each in conversations if each["user"].get("id") == user_id]
    reference = {
        "channelId": "directline",
        "serviceUrl": running.chat_page,
        "conversation": {"id": known["id"]},
        "user": known["user"],
        "bot": {"id": "bot", "name": "Bot"},
    }
    connection = running.stack.storage_connection
    async with QueueClient.from_connection_string(connection, QUEUE_NAME) as queue:
        await queue.send_message(json.dumps({"conversation": reference, "activity": activity}))


async def press(chat: Chat, button: str) -> None:
    """Press what can be pressed; for screen readers, Web Chat shows each button once more."""
    await chat.page.locator("button[tabindex='0']").filter(has_text=button).last.click()


async def test_an_adaptive_card_is_shown_and_its_button_reaches_the_bot(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    await chat.says("hello")
    await chat.sees(await acknowledgement("hello"))
    await notify(running, chat, {"attachments": [ADAPTIVE_CARD]})
    await chat.page.get_by_text("Your pizza is in the oven", exact=True).last.wait_for(
        timeout=10_000
    )
    await press(chat, "Add chili")
    await chat.sees(await answer({"value": {"chili": True}}))


async def test_a_hero_cards_button_says_its_words(new_chat: NewChat, running: RunningStack) -> None:
    chat = await new_chat()
    await chat.says("hello")
    await chat.sees(await acknowledgement("hello"))
    await notify(running, chat, {"attachments": [HERO_CARD]})
    await chat.page.get_by_text("Table for two", exact=True).last.wait_for(timeout=10_000)
    await press(chat, "Confirm")
    await chat.sees(await acknowledgement("I confirm the table", 2))


async def test_markdown_and_suggested_actions_are_rendered(
    new_chat: NewChat, running: RunningStack
) -> None:
    chat = await new_chat()
    await chat.says("hello")
    await chat.sees(await acknowledgement("hello"))
    actions = [{"type": "imBack", "title": "Yes", "value": "yes please"}]
    text = "Your **order** is [ready](https://example.org)"
    await notify(
        running,
        chat,
        {"text": text, "textFormat": "markdown", "suggestedActions": {"actions": actions}},
    )
    bold = chat.page.locator(".webchat__bubble__content strong").filter(has_text="order")
    await bold.wait_for(timeout=10_000)
    await press(chat, "Yes")
    await chat.sees(await acknowledgement("yes please", 2))


@dataclass(frozen=True)
class InMemory:
    """An app in memory, and its chat page."""

    page: str
    wiring: Wiring
    storage: MemoryStorage

    async def wakes_up(self) -> None:
        """Plan notifications and send their pages, as the Functions host lets the app do."""
        queue = self.storage.queue(WAKE_UPS)
        for message in queue.receive():
            await self.wiring.wake_ups.take(message)
            queue.delete(message)


@asynccontextmanager
async def chat_with(make_bot: MakeBot) -> AsyncIterator[InMemory]:
    """Serve a bot in memory behind a local Direct Line of its own."""
    wirings: list[Wiring] = []

    async def answer_channel(request: func.HttpRequest) -> func.HttpResponse:
        return await wirings[0].endpoint.answer(request)

    app = web.Application()
    app.router.add_post("/api/messages", route(answer_channel))
    async with TestServer(app) as server:
        bot_url = str(server.make_url("/api/messages"))
        async with direct_line.running(direct_line.Settings(bot_url, SECRET)) as service:
            settings = Settings.from_environment(in_memory(service.base_url))
            storage = MemoryStorage()
            wirings.append(Wiring(settings, storage=storage, make_bot=make_bot))
            yield InMemory(service.base_url, wirings[0], storage)
            await wirings[0].close()


def in_memory(direct_line_url: str) -> dict[str, str]:
    return {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "DirectLineEndpoint": direct_line_url,
        "DirectLineSecret": SECRET,
        "TriggerSigningKey": "a-key-that-signs-triggers-in-memory-only",
    }


async def test_a_cards_button_comes_back_to_the_bot_which_answers_with_the_next_card(
    browser: Browser, transport: str
) -> None:
    async with chat_with(MenuBot) as app:
        chat = await NewChat(browser, f"{app.page}/?transport={transport}")()
        await chat.says("menu")
        await chat.page.get_by_text("Which pizza would you like?").last.wait_for(timeout=10_000)
        await press(chat, "Funghi")
        await chat.page.get_by_text("One Funghi is ordered.").last.wait_for(timeout=10_000)
        await press(chat, "Thank you")
        await chat.sees("You are welcome!")
        await chat.page.context.close()
