"""What the bot says. Edit this file first.

Each method is one occasion to speak. `on_message_activity` is what happens when a user writes;
`on_trigger` is what happens when the queue brings something back, and the bot speaks first.
"""

import asyncio
import logging

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount

from bot_logic.bot_endpoint.conversations import reference_of
from bot_logic.bot_endpoint.counter import MessageCounter
from bot_logic.envelope import WORKER_USER_ID, Envelope
from bot_logic.errors import (
    MessageNotInserted,
    OversizedMessage,
    ProactiveBotError,
    QueueNotCreated,
    ServiceUnavailable,
)
from bot_logic.storage_queue import StorageQueue

# Together with the queue's own timeouts these stay below the adapter's for the whole turn.
TYPING_TIMEOUT = 1  # seconds
REPLY_TIMEOUT = 4  # seconds
COUNT_TIMEOUT = 2  # seconds

logger = logging.getLogger(__name__)


class ProactiveBot(ActivityHandler):
    """Puts what users say on the queue, and tells them when it comes back."""

    def __init__(self, queue: StorageQueue, counter: MessageCounter, message_lifetime: int) -> None:
        self._queue = queue
        self._counter = counter
        self._message_lifetime = message_lifetime

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        """The queue brought `envelope` back: speak first, in the conversation it belongs to."""
        await turn.send_activity(f"This is coming back from the trigger! {envelope.text}")

    async def on_message_activity(self, turn: TurnContext) -> None:
        """A user wrote: put it on the queue, and say so once the queue has it."""
        text = (turn.activity.text or "").strip()
        if not text:
            await turn.send_activity(_about_no_text(turn.activity))
            return
        await self._try_to_send(turn, Activity(type=ActivityTypes.typing), TYPING_TIMEOUT)
        reply = await self._enqueue(turn, text) or await self._acknowledgement(turn, text)
        await self._try_to_send(turn, reply, REPLY_TIMEOUT)

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Somebody joined: welcome them by name, but not the bot itself, nor the queue worker."""
        known = (turn_context.activity.recipient.id, WORKER_USER_ID)
        newcomers = [member for member in members_added if member.id not in known]
        if newcomers:
            names = " and ".join(member.name for member in newcomers if member.name)
            await turn_context.send_activity(
                f"{f'Welcome {names}' if names else 'Welcome'}! "
                "Say something, and I will come back to you by myself."
            )

    async def _enqueue(self, turn: TurnContext, text: str) -> str | None:
        """Put the text on the queue; if that fails, what to tell the user."""
        try:
            reference = reference_of(turn.activity)
            envelope = Envelope.new(reference, text, lifetime=self._message_lifetime)
            await self._queue.put(envelope.to_json())
        except OversizedMessage:
            return "Your message is too long for the queue. Please send it in smaller parts."
        except QueueNotCreated as error:
            logger.error("message not queued: %s", error)  # noqa: TRY400 - no traceback needed
            return "There was an error creating your queue"
        except MessageNotInserted as error:
            logger.error("message not queued: %s", error)  # noqa: TRY400 - no traceback needed
            return "There was an error inserting your message into queue"
        logger.info("message %s queued", envelope.id)
        return None

    async def _acknowledgement(self, turn: TurnContext, text: str) -> str:
        """What to say of a text that the queue has; its number is worth less than saying it."""
        try:
            async with asyncio.timeout(COUNT_TIMEOUT):
                number = f"{await self._counter.next(turn)}: "
        except (ServiceUnavailable, TimeoutError) as error:
            logger.warning("message not counted: %s", type(error).__name__)
            number = ""
        return f"{number}You said {text}. Message added to the queue."

    async def _try_to_send(self, turn: TurnContext, message: Activity | str, within: float) -> None:
        """Send what the user can do without: failing here would make them say it all again."""
        try:
            async with asyncio.timeout(within):
                await turn.send_activity(message)
        except (ProactiveBotError, TimeoutError) as error:
            logger.warning("not sent: %s: %s", type(error).__name__, error)


def _about_no_text(activity: Activity) -> str:
    if activity.attachments:
        return "Thank you for the attachment. I can only put text on the queue, though."
    if activity.value is not None:
        return "Thank you for the form. I can only put text on the queue, though."
    return "There was no text in your message. Tell me something to put on the queue."
