"""The bot's way to the queue: what it puts there comes back to its `on_trigger`."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from botbuilder.core import TurnContext

from bot_logic.bot_endpoint.recorder import reference_of
from bot_logic.clock import Chance, Clock
from bot_logic.contract.envelope import Envelope
from bot_logic.deadline import within
from bot_logic.errors import MessageNotInserted
from bot_logic.storage.protocols import MAX_DELAY, Queue

PUT_TIMEOUT: Final = 6  # seconds; the queue itself takes 5 at most
TIME_TO_SAY_SO: Final = 1  # seconds of the turn that are left for telling the user

logger = logging.getLogger(__name__)


class Outbox:
    """Puts messages on the queue, addressed to the conversation of the turn."""

    def __init__(self, queue: Queue, clock: Clock, chance: Chance, message_lifetime: int) -> None:
        self._queue = queue
        self._clock = clock
        self._chance = chance
        self._message_lifetime = message_lifetime

    async def put(
        self,
        turn: TurnContext,
        text: str,
        *,
        data: Mapping[str, Any] | None = None,
        delay: int = 0,
    ) -> str:
        """Put a text on the queue, and return the message's id; then the queue has it.

        Args:
            turn: whose conversation it comes back to.
            text: what `on_trigger` finds in `envelope.text`.
            data: what it finds in `envelope.data`, as JSON: for example what this message is for.
            delay: seconds after which it comes back, at the earliest; a reminder.

        Raises:
            OversizedMessage: it does not fit into a queue message.
            QueueNotCreated: there is no queue and it could not be created.
            MessageNotInserted: the queue did not accept it.
        """
        envelope = Envelope.new(
            reference_of(turn.activity),
            text,
            message_id=self._chance.new_id(),
            now=self._clock.now(),
            lifetime=self._message_lifetime,
            data=data,
            delay=delay,
        )
        envelope.check_size()
        try:
            async with within(PUT_TIMEOUT, leaving=TIME_TO_SAY_SO):
                await self._queue.put(envelope.to_json(), delay=min(delay, MAX_DELAY))
        except TimeoutError:
            raise MessageNotInserted("no time was left in this turn") from None
        logger.info("message %s queued", envelope.id)
        return envelope.id
