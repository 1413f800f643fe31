"""Your bot in a test: everything around it in memory, so that a test takes milliseconds.

docs/testing-your-bot.md shows how to use it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import Endpoint, MakeBot
from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.bot_endpoint.moments import as_in_json
from bot_logic.bot_endpoint.sdk.card_actions import EXECUTE
from bot_logic.bot_endpoint.sdk.invokes import CARD_ACTION
from bot_logic.clock import SYSTEM_CHANCE, Chance
from bot_logic.contract.dead_letter import DeadLetter
from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME, WORKER_USER_ID
from bot_logic.errors import BotFailed, ProactiveBotError
from bot_logic.notifications import QUEUE_NAME as WAKE_UPS
from bot_logic.notifications.request import parse, parse_content
from bot_logic.queue_worker import Triggers
from bot_logic.queue_worker.lanes.wake_ups import WakeUp
from bot_logic.settings import Settings
from bot_logic.storage.memory import MemoryStorage, QueuedMessage
from bot_logic.storage.protocols import ReceivedMessage
from bot_logic.telemetry import OFF, Telemetry
from bot_logic.wiring import Wiring

__all__ = ["BotUnderTest", "ManualClock"]

SERVICE_URL: Final = "http://localhost:3000"
NO_SETTINGS: Final[Mapping[str, str]] = {}
MOST_ROUNDS: Final = 1000  # of wake-ups in one call; each takes all that is due
_JSON: Final = {"Content-Type": "application/json"}
_BOT: Final = {"id": "bot", "name": "Bot"}
_SETTINGS: Final = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DirectLineSecret": "nobody-is-asked-in-memory",
    "TriggerSigningKey": "a-key-that-signs-triggers-in-memory-only",
}


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self._now = now

    def now(self) -> float:
        """Return Unix time in seconds."""
        return self._now

    def elapsed(self) -> float:
        """Return seconds since 1970, too."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._now += seconds


class BotUnderTest:
    """A bot with a queue, tables, Direct Line and a channel that live in this process.

    Attributes:
        storage: its queues and tables; `storage.faults` lets them fail.
        channel: what it has sent; `channel.faults` lets the channel fail.
        clock: its time, which passes only by `clock.advance`.
    """

    def __init__(
        self,
        make_bot: MakeBot = ProactiveBot,
        *,
        chance: Chance = SYSTEM_CHANCE,
        clock: ManualClock | None = None,
        channel: MemoryChannel | None = None,
        direct_line: Callable[[Triggers], Triggers] | None = None,
        settings: Mapping[str, str] = NO_SETTINGS,
        telemetry: Telemetry = OFF,
    ) -> None:
        """Make a bot with everything around it.

        Args:
            make_bot: your bot's class.
            chance: what nobody can foretell.
            clock: another clock than one that stands still.
            channel: another channel than one that takes everything.
            direct_line: wraps the worker's way to the bot, to let it fail.
            settings: by their names in local.settings.json, besides those that a test needs.
            telemetry: who is told of spans and metrics.
        """
        self.clock = clock or ManualClock()
        self.storage = MemoryStorage(self.clock, chance)
        self.channel = channel or MemoryChannel()
        way: Triggers = _InProcess(lambda: self._wiring.endpoint)
        self._wiring = Wiring(
            Settings.from_environment({**_SETTINGS, **settings}),
            storage=self.storage,
            triggers=direct_line(way) if direct_line else way,
            channels=self.channel,
            make_bot=make_bot,
            clock=self.clock,
            chance=chance,
            telemetry=telemetry,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._wiring.close()

    @property
    def wiring(self) -> Wiring:
        """What `wiring()` is to return to functions of your own, in a test of them."""
        return self._wiring

    async def hears(self, text: str, *, user: str = "ada") -> list[str]:
        """Let a user write to the bot; return what it answers."""
        return await self.receives({"type": "message", "text": text}, user=user)

    async def meets(self, user: str = "ada") -> list[str]:
        """Let a user open a conversation with the bot; return what it says."""
        joined = {"type": "conversationUpdate", "membersAdded": [{"id": user, "name": user}]}
        return await self.receives(joined, user=user)

    async def receives(self, activity: dict[str, Any], *, user: str = "ada") -> list[str]:
        """Let a user's client send any activity; return the texts that the bot answers.

        `channel.sent` has the answers as they are: cards, suggested actions and all.
        """
        before = len(self.channel.sent)
        await self._post(activity, user)
        return self._said_since(before)

    async def presses(
        self, verb: str, data: Mapping[str, Any] | None = None, *, user: str = "ada"
    ) -> Any:
        """Let a user press a card's button; return the card's JSON or the text that is the answer.

        Raises:
            BotFailed: it failed, and the log says why.
        """
        action = {"type": EXECUTE, "verb": verb, "data": dict(data or {})}
        pressed = {"type": "invoke", "name": CARD_ACTION, "value": {"action": action}}
        response = await self._post(pressed, user)
        if response is None or response.body is None:
            raise BotFailed("the bot does not answer presses")
        if response.body["statusCode"] != HTTPStatus.OK:
            raise BotFailed(response.body["value"]["message"])
        return response.body["value"] or None

    async def enqueue(self, text: str = "", *, user: str = "ada", **fields: Any) -> None:
        """Put a message for a user on the queue, as any other program can.

        Further fields are those of docs/queue-messages.md: `activity`, `data`, `at`, `expires`.
        """
        address = _addressed(f"conversation-of-{user}", user)
        reference = {
            "channelId": address["channelId"],
            "serviceUrl": address["serviceUrl"],
            "conversation": address["conversation"],
            "user": address["from"],
            "bot": address["recipient"],
        }
        message = {"conversation": reference, **({"text": text} if text else {}), **fields}
        await self.storage.queue(QUEUE_NAME).put(json.dumps(message))

    async def runs_queue(self) -> list[str]:
        """Hand all that is due to the bot, and notifications to their end; return what it says.

        What the bot itself puts on the queue meanwhile waits for the next call.
        """
        before = len(self.channel.sent)
        await self._sends_notifications()
        await self._takes(QUEUE_NAME, self._wiring.worker.handle)
        await self._sends_notifications()  # those that the bot has just asked for
        await self._takes(POISON_QUEUE_NAME, self._wiring.delivery.dead_letters.file)
        return self._said_since(before)

    async def notify(self, to: Any, text: str | None = None, **fields: Any) -> str:
        """Ask for a notification, as `POST /api/notifications` does; return its id.

        Raises:
            BadRequest: it cannot be taken.
        """
        said = {} if text is None else {"text": text}
        asked = {name: as_in_json(value) for name, value in fields.items()}
        body = json.dumps({"to": to, **said, **asked}).encode()
        orders = self._wiring.notifications.orders
        return (await orders.take(parse(body, self.clock.now(), orders.lifetime))).id

    async def report(self, notification_id: str) -> dict[str, Any]:
        """Return a notification's state, and how many recipients have which outcome."""
        report = await self._wiring.notifications.orders.report(notification_id)
        assert report is not None, "there is no such notification"  # noqa: S101 - for a test
        return {"state": report.state.value, **{k: n for k, n in report.counts.items() if n}}

    async def cancel(self, notification_id: str) -> None:
        """Cancel a notification, as `DELETE /api/notifications/{id}` does."""
        await self._wiring.notifications.orders.cancel(notification_id)

    async def recall(self, notification_id: str) -> str:
        """Have deleted what was sent, as `POST …/{id}/recall` does; return the recall's id.

        Raises:
            BadRequest: it cannot be recalled.
        """
        taken = await self._wiring.notifications.changes.recall(notification_id)
        assert taken is not None, "there is no such notification"  # noqa: S101 - for a test
        return taken.id

    async def edit(self, notification_id: str, text: str) -> str:
        """Have replaced what was sent, as `PATCH …/{id}` does; return the edit's id.

        Raises:
            BadRequest: it cannot be edited.
        """
        activity = parse_content(json.dumps({"text": text}).encode())
        taken = await self._wiring.notifications.changes.edit(notification_id, activity)
        assert taken is not None, "there is no such notification"  # noqa: S101 - for a test
        return taken.id

    async def retry(self, notification_id: str) -> None:
        """Give those that did not get it another try, as `POST …/{id}/retry` does."""
        await self._wiring.notifications.orders.retry(notification_id)

    async def knows_of(self, user: str) -> dict[str, Any] | None:
        """Return all that is stored about a person, as `GET /api/users/{id}` does."""
        return await self._wiring.people.report(user)

    async def forgets(self, user: str) -> bool:
        """Forget a person, as `DELETE /api/users/{id}` does; False if nothing was stored.

        Raises:
            RetryableError: it could not be done to its end.
        """
        return await self._wiring.people.forget_person(user)

    async def forgets_conversation(self, conversation: str) -> bool:
        """Forget a conversation, as `DELETE /api/conversations/{id}` does."""
        return await self._wiring.people.forget_conversation(conversation)

    async def wakes_what_waits(self) -> None:
        """Run the timer that sees to what nobody was woken for."""
        await self._wiring.wake_ups.wake_what_waits()

    async def wake(self, message: WakeUp) -> None:
        """Take one wake-up of a notification, as the Functions host does.

        Raises:
            RetryableError: it is to be left on the queue.
        """
        await self._wiring.wake_ups.take(message)

    async def hand_over(self, message: ReceivedMessage) -> None:
        """Hand one message to the queue worker, as the Functions host does.

        Raises:
            QueueUnavailable: it is to be left on the queue.
        """
        await self._wiring.worker.handle(message)

    async def dead_letters(self) -> list[DeadLetter]:
        """Return what could not be delivered, with the reasons."""
        return [filed.dead_letter async for filed in self._wiring.delivery.dead_letters.all()]

    async def _sends_notifications(self) -> None:
        """Take what is due until nothing is: one wake-up plans, and the next one sends."""
        for _ in range(MOST_ROUNDS):
            if not await self._takes(WAKE_UPS, self._wiring.wake_ups.take):
                return

    async def _takes(
        self, name: str, function: Callable[[QueuedMessage], Awaitable[object]]
    ) -> int:
        """Hand what is due on a queue now to its function; return how many that were."""
        queue = self.storage.queue(name)
        received = queue.receive(most=len(queue.texts))
        for message in received:
            await function(message)
            queue.delete(message)
        return len(received)

    async def _post(self, activity: dict[str, Any], user: str) -> Any:
        body = {**_addressed(f"conversation-of-{user}", user), **activity}
        return await self._wiring.endpoint.take(json.dumps(body).encode(), _JSON)

    def _said_since(self, count: int) -> list[str]:
        return [sent.activity.text for sent in self.channel.sent[count:] if sent.activity.text]


class _InProcess:
    """Direct Line's part: it takes a trigger to the endpoint and says whether that went well."""

    def __init__(self, endpoint: Callable[[], Endpoint]) -> None:
        self._endpoint = endpoint

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        body = _addressed("conversation-of-the-worker", WORKER_USER_ID)
        body |= activity_for("conversation-of-the-worker")
        try:
            await self._endpoint().take(json.dumps(body).encode(), _JSON)
        except ProactiveBotError as error:  # any other is a fault in the bot, for the test to see
            raise BotFailed("Direct Line answered 502 BotError") from error


def _addressed(conversation_id: str, user: str) -> dict[str, Any]:
    return {
        "channelId": "test",
        "serviceUrl": SERVICE_URL,
        "conversation": {"id": conversation_id},
        "from": {"id": user, "name": user},
        "recipient": _BOT,
    }
