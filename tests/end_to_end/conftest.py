"""The whole of `make run` on free ports, and a real browser."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Response, async_playwright
from playwright.async_api import Error as PlaywrightError

from local_dev.ports import free_ports
from local_dev.processes import Processes
from local_dev.programs import Program
from local_dev.run import Ports, Stack, prepare
from tests.expected import welcome
from tests.resilience.local_direct_line import LocalDirectLine

# For a machine without a screen that reaches no other network; root needs --no-sandbox. Names of
# hostile sites resolve to this machine, as those who rebind them have it.
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-gpu",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]
SECRET = "a-direct-line-secret-of-the-tests"
# A message, with its text and all its attachments; the user's own has another class, too.
OF_THE_BOT = ", ".join(
    f".webchat__{layout}:not(.webchat__{layout}--from-user)"
    for layout in ("stacked-layout", "carousel-filmstrip")
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class RunningStack:
    """All programs of `make run`, which a test can stop and start one by one."""

    stack: Stack
    processes: Processes
    programs: dict[str, Program]

    @property
    def chat_page(self) -> str:
        return f"http://localhost:{self.stack.ports.chat}"

    async def fail(self, *rules: dict[str, Any]) -> None:
        """Let the local Direct Line fail as these rules say."""
        async with self.direct_line() as direct_line:
            await direct_line.call("POST", "/local/faults", list(rules))

    @asynccontextmanager
    async def direct_line(self) -> AsyncIterator[LocalDirectLine]:
        """The local Direct Line, without a browser."""
        async with aiohttp.ClientSession() as session:
            yield LocalDirectLine(session, self.chat_page)

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """Stop a program as long as the block lasts."""
        await self.processes.stop(name)
        try:
            yield
        finally:
            await self.processes.start(self.programs[name])

    async def restart(self, name: str, **environment: str) -> None:
        """Stop a program and start it again, with these settings changed."""
        await self.processes.stop(name)
        program = self.programs[name]
        changed = {**program.environment, **environment}
        await self.processes.start(replace(program, environment=changed))


@pytest.fixture(scope="session")
def ports() -> Ports:
    return Ports(*free_ports(5))


@pytest.fixture(scope="session", autouse=True)
def example_settings() -> Iterator[None]:
    """What the example file says wins over what a developer has in local.settings.json."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MicrosoftAppId", "MicrosoftAppPassword", "ChannelService"):
            patch.setenv(name, "")
        patch.setenv("DirectLineSecret", SECRET)
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    ports: Ports, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningStack]:
    stack = Stack(ports, tmp_path_factory.mktemp("azurite"))
    prepare(stack)
    processes = Processes()
    try:
        for program in stack.programs():
            await processes.start(program)
        yield RunningStack(stack, processes, {each.name: each for each in stack.programs()})
    finally:
        await processes.stop_all()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        system_browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        try:
            launched = await playwright.chromium.launch(
                executable_path=system_browser, args=BROWSER_ARGUMENTS
            )
        except PlaywrightError as error:
            reason = f"no Chromium; .venv/bin/playwright install chromium gets one: {error}"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        yield launched
        await launched.close()


@dataclass
class Chat:
    """One user's browser window."""

    page: Page
    url: str

    async def is_welcomed(self) -> None:
        await self.sees(await welcome(""))

    async def says(self, text: str) -> None:
        box = self.page.locator("input[data-id=webchat-sendbox-input]")
        await box.fill(text)
        await box.press("Enter")

    async def says_and_is_heard(self, text: str) -> None:
        """Say it, and wait until the bot has taken it, which ends its turn without a fault."""
        async with self.page.expect_response(_is_a_post_of_an_activity) as posted:
            await self.says(text)
        assert (await posted.value).ok

    async def sees_answers(self, count: int, within: float = 10) -> None:
        """Raises playwright's TimeoutError if fewer messages of the bot's show up in time."""
        if count:
            shown = self.page.locator(OF_THE_BOT).nth(count - 1)
            await shown.wait_for(timeout=within * 1000)

    async def sees(self, text: str, within: float = 10) -> None:
        """Raises playwright's TimeoutError if the text does not show up within these seconds."""
        shown = self.page.locator(".webchat__bubble__content").filter(has_text=text).first
        await shown.wait_for(timeout=within * 1000)

    async def sees_a_failure(self) -> None:
        """Raises playwright's TimeoutError if no message is shown as not sent within seconds."""
        await self.page.get_by_text("Send failed").first.wait_for(timeout=5_000)

    async def tries_again(self) -> None:
        """Press Retry, beside the message that was not sent."""
        await self.page.get_by_role("button", name="Retry").first.click()

    async def all_it_sees(self) -> list[str]:
        return await self.page.locator(".webchat__bubble__content").all_inner_texts()


def _is_a_post_of_an_activity(response: Response) -> bool:
    return response.request.method == "POST" and response.url.endswith("/activities")


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class NewChat:
    """Opens windows that share nothing: a new user each."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url

    async def __call__(self) -> Chat:
        chat = await self.before_the_bot_answers()
        await chat.is_welcomed()
        return chat

    async def before_the_bot_answers(self) -> Chat:
        """Open a window without waiting for anything the bot says."""
        context = await self._browser.new_context(viewport={"width": 640, "height": 600})
        chat = Chat(await context.new_page(), self._url)
        await chat.page.goto(self._url)
        return chat


@pytest_asyncio.fixture(loop_scope="session")
async def new_chat(
    running: RunningStack, browser: Browser, transport: str
) -> AsyncIterator[NewChat]:
    yield NewChat(browser, f"{running.chat_page}/?transport={transport}")
    for context in browser.contexts:
        await context.close()
