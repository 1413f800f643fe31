"""What the bots of both sides share, so that only what is under them differs."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from botbuilder.core import ActivityHandler, MessageFactory, TurnContext
from botbuilder.schema import ConversationReference

from benchmarks.sayings import USERS, reference, text_of

Logic = Callable[[Any], Awaitable[None]]  # of a turn
Continue = Callable[[ConversationReference, Logic], Awaitable[None]]


class EchoBot(ActivityHandler):
    """Says what it hears, as in BotBuilder-Samples' 02.echo-bot."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer what a user wrote."""
        await turn_context.send_activity(MessageFactory.text(f"Echo: {turn_context.activity.text}"))


def speaker(continue_conversation: Continue) -> Callable[[int, str], Awaitable[None]]:
    """Return what says the text of a number in its conversation, as the answer to nothing."""

    async def say(number: int, service_url: str) -> None:
        async def speak(turn: TurnContext) -> None:
            await turn.send_activity(text_of(number))

        await continue_conversation(_references(service_url)[number % USERS], speak)

    return say


@cache  # read with the first messages, which are the warm-up
def _references(service_url: str) -> list[ConversationReference]:
    return [ConversationReference.deserialize(reference(n, service_url)) for n in range(USERS)]
