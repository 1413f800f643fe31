"""Your bot in a real browser, on all that `make run` starts: it answers, whatever it says."""

import pytest

from tests.end_to_end.conftest import NewChat
from tests.expected import answers

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("transport", ["websocket"])
async def test_the_bot_answers_hello(new_chat: NewChat) -> None:
    chat = await new_chat.before_the_bot_answers()
    await chat.says_and_is_heard("hello")
    await chat.sees_answers(await answers("hello"))
