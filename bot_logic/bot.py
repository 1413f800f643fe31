"""What the bot says. Edit this file first; what you add (cards, dialogs) goes beside it.

Each method is one occasion to speak. `on_message_activity` is what happens when a user writes;
`on_trigger` is what happens when the queue brings something back, and the bot speaks first.
docs/testing-your-bot.md shows how to test an answer of your own in milliseconds.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount

from bot_logic.bot_endpoint import MessageCounter, Outbox
from bot_logic.bot_endpoint.buttons import ButtonHandler
from bot_logic.bot_endpoint.presses import press_in
from bot_logic.bot_endpoint.recipient_commands import RecipientCommands
from bot_logic.bot_endpoint.spoken import (
    answer_to,
    format_data,
    has_attachment,
    message_of,
    spoken_text,
)
from bot_logic.contract.envelope import WORKER_USER_ID, Envelope
from bot_logic.deadline import within
from bot_logic.errors import (
    MessageNotInserted,
    OversizedMessage,
    ProactiveBotError,
    QueueNotCreated,
    ServiceUnavailable,
)

# Seconds. With the queue's own they stay below what a turn may take, 13 (tests add them up).
TYPING_TIMEOUT = 1
COUNT_TIMEOUT = 2
REPLY_TIMEOUT = 4

TOPICS: tuple[str, ...] = ()  # that users may subscribe to by themselves: docs/recipients.md
MAX_NAMES = 10  # in one welcome

APOLOGY = "Something went wrong here, and your message was not dealt with. Please try again later."

logger = logging.getLogger(__name__)


class ProactiveBot(ButtonHandler):
    """Puts what users say on the queue, and tells them when it comes back."""

    def __init__(
        self,
        outbox: Outbox,
        counter: MessageCounter,
        *,
        typing_timeout: float = TYPING_TIMEOUT,
        reply_timeout: float = REPLY_TIMEOUT,
    ) -> None:
        self.notifications = outbox.notifications
        self._commands = RecipientCommands(outbox.subscriber, topics=TOPICS)
        self._outbox = outbox
        self._counter = counter
        self._typing_timeout = typing_timeout
        self._reply_timeout = reply_timeout

    def now(self) -> datetime:
        """Return what time it is, in UTC; in a test of your bot that of its clock."""
        return self.notifications.now()

    async def on_turn(self, turn_context: TurnContext) -> None:
        """Take a turn; if it fails, tell the user so, and let the log say why."""
        try:
            await super().on_turn(turn_context)
        except (ProactiveBotError, TimeoutError):  # a dependency's fault: the channel tries again
            raise
        except Exception:
            is_press = press_in(turn_context.activity) is not None  # which is always answered
            if turn_context.activity.type == ActivityTypes.message and not is_press:
                await self._try_to_send(turn_context, APOLOGY, self._reply_timeout)
            raise

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        """Say what the queue brought back, in the conversation that `envelope` belongs to.

        It has 12 seconds. Whatever it raises, and if it takes longer, the message is tried again
        later, up to `MaxDeliveryAttempts`; only after a PermanentError it becomes a dead letter at
        once. What a user has seen does not come again: if an attempt fails after two activities
        were sent, the first two that the next attempt sends are taken for those. So send the same
        number in the same order each time, and do what must not be done twice after sending.
        """
        text = f"This is coming back from the trigger! {envelope.text}"
        await turn.send_activity(message_of(envelope, text))

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Put what a user wrote on the queue, and say so once the queue has it."""
        if await self._commands.answer(turn):  # stop and start: docs/recipients.md
            return
        text = spoken_text(turn.activity)
        if not text:
            await turn.send_activity(_about_no_text(turn.activity))
            return
        await self._try_to_send(turn, Activity(type=ActivityTypes.typing), self._typing_timeout)
        reply = await self._enqueue(turn, text) or await self._acknowledgement(turn, text)
        await self._try_to_send(turn, answer_to(turn.activity, reply), self._reply_timeout)

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Welcome those who joined by name, but neither the bot itself nor the queue worker."""
        known = (turn_context.activity.recipient.id, WORKER_USER_ID)
        newcomers = [member for member in members_added if member.id not in known]
        if newcomers:
            names = _named(member.name for member in newcomers if member.name)
            await turn_context.send_activity(
                f"{f'Welcome {names}' if names else 'Welcome'}! "
                "Say something, and I will come back to you by myself."
            )

    async def _enqueue(self, turn: TurnContext, text: str) -> str | None:
        """Put the text on the queue; if that fails, return what to tell the user."""
        try:
            await self._outbox.put(turn, text, data=format_data(turn.activity))
        except OversizedMessage:
            return "Your message is too long for the queue. Please send it in smaller parts."
        except QueueNotCreated as error:
            logger.error("message not queued: %s", error)  # noqa: TRY400 - no traceback needed
            return "There was an error creating your queue"
        except MessageNotInserted as error:
            logger.error("message not queued: %s", error)  # noqa: TRY400 - no traceback needed
            return "There was an error inserting your message into queue"
        return None

    async def _acknowledgement(self, turn: TurnContext, text: str) -> str:
        """Return what to say of a text that the queue has; its number is worth less than that."""
        try:
            async with within(COUNT_TIMEOUT, leaving=1):
                number = f"{await self._counter.next(turn)}: "
        except (ServiceUnavailable, TimeoutError) as error:
            logger.warning("message not counted: %s", type(error).__name__)
            number = ""
        return f"{number}You said {text}. Message added to the queue."

    async def _try_to_send(self, turn: TurnContext, message: Activity | str, wait: float) -> None:
        """Send what the user can do without: failing here would make them say it all again."""
        try:
            async with within(wait, leaving=0.25):
                await turn.send_activity(message)
        except (ProactiveBotError, TimeoutError) as error:
            logger.warning("not sent: %s: %s", type(error).__name__, error)


def _named(names: Iterable[str]) -> str:
    """Name a few; who adds the bot to a team comes with everyone in it."""
    everyone = list(names)
    others = len(everyone) - MAX_NAMES
    shown = everyone[:MAX_NAMES] + ([f"{others} others"] if others > 0 else [])
    return " and ".join(shown)


def _about_no_text(activity: Activity) -> str:
    if has_attachment(activity):
        return "Thank you for the attachment. I can only put text on the queue, though."
    if activity.value is not None:
        return "Thank you for the form. I can only put text on the queue, though."
    return "There was no text in your message. Tell me something to put on the queue."
