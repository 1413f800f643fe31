"""The composition root: builds each part once, on the loop that uses it.

A Functions worker has one event loop and no start-up hook, so each part is made when it is first
asked for. Whoever wants other parts, a test above all, hands them in.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from bot_logic import bot_endpoint, delivery, notifications, queue_worker
from bot_logic import conversations as where_to_speak
from bot_logic.bot import ProactiveBot
from bot_logic.clock import SYSTEM_CHANCE, SYSTEM_CLOCK, Chance, Clock
from bot_logic.contract.envelope import QUEUE_NAME, Envelope
from bot_logic.deadline import within
from bot_logic.errors import ServiceUnavailable
from bot_logic.health import Health, Seldom, answers
from bot_logic.outgoing import Session, open_session
from bot_logic.settings import Settings
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.protocols import Storage
from bot_logic.storage.sweep import Sweep
from bot_logic.telemetry import OFF, Telemetry

if TYPE_CHECKING:
    from bot_logic.api import Api
    from bot_logic.people import People
    from bot_logic.queue_worker.lanes import WakeUps


LOOK_UP_TIMEOUT: Final = 1.0  # seconds, of whether a message's conversation was forgotten


class Wiring:
    """All long-lived parts of the app, each made at its first use."""

    def __init__(
        self,
        settings: Settings,
        *,
        storage: Storage | None = None,
        triggers: queue_worker.Triggers | None = None,
        channels: Any = None,
        make_bot: bot_endpoint.MakeBot = ProactiveBot,
        clock: Clock = SYSTEM_CLOCK,
        chance: Chance = SYSTEM_CHANCE,
        telemetry: Telemetry = OFF,
    ) -> None:
        """Wire the app from its settings, with what is handed in instead of the real part.

        Args:
            settings: everything the app is told from outside.
            storage: where queues and tables are; else the account that the settings name.
            triggers: the worker's way to the bot; else Direct Line.
            channels: the SDK's ConnectorFactory; else one that sends to service URLs.
            make_bot: makes the bot.
            clock: what time it is.
            chance: what nobody can foretell.
            telemetry: who is told of spans and metrics.
        """
        self.settings = settings
        self._storage = storage
        self._triggers = triggers
        self._channels = channels
        self._make_bot = make_bot
        self._clock = clock
        self._chance = chance
        self._telemetry = telemetry

    @cached_property
    def session(self) -> Session:
        """The connections to Direct Line, channels and login servers."""
        return open_session(self.settings.connections_per_host)

    @cached_property
    def storage(self) -> Storage:
        """The storage account."""
        return self._storage or StorageAccount(
            self.settings.storage, clock=self._clock, chance=self._chance
        )

    @cached_property
    def conversations(self) -> where_to_speak.Conversations:
        """The conversations that the bot can continue."""
        return where_to_speak.build(self.storage, self._clock)

    @cached_property
    def delivery(self) -> delivery.Delivery:
        """The parts that bring each message to one end."""
        return delivery.build(
            self.storage,
            self._clock,
            self._chance,
            max_attempts=self.settings.max_attempts,
            telemetry=self._telemetry,
            is_forgotten=self._is_forgotten,
        )

    async def _is_forgotten(self, message: Envelope) -> bool:
        where = message.conversation["channelId"], message.conversation["conversation"]["id"]
        try:
            async with within(LOOK_UP_TIMEOUT):
                found = await self.conversations.whereabouts(*where)
        except (ServiceUnavailable, TimeoutError):
            return False  # it is kept, and looked at again before it is sent
        return message.created <= found.forgotten_at

    @cached_property
    def people(self) -> "People":
        """What is stored about people, to be shown and to be forgotten; imported when asked for."""
        from bot_logic import people  # noqa: PLC0415

        return people.build(
            self.conversations,
            self.notifications.store,
            self.delivery.dead_letters,
            self.storage.table(bot_endpoint.STATE),
            self._clock,
        )

    @cached_property
    def notifications(self) -> notifications.Notifications:
        """Who is to hear what, and when."""
        return notifications.build(
            self.storage,
            self.conversations.audiences,
            self.conversations.skips,
            self._clock,
            self._chance,
            as_sent=bot_endpoint.as_sent,
            lifetime=self.settings.notification_lifetime,
            kept_for=self.settings.notifications_kept,
            telemetry=self._telemetry,
            service_urls=self.settings.service_urls,
        )

    @cached_property
    def api(self) -> "Api":
        """The way in for other programs. Only a process that is asked pays for its import."""
        from bot_logic import api  # noqa: PLC0415

        return api.build(
            self.conversations,
            self.notifications,
            self.delivery.dead_letters,
            self.people,
            clock=self._clock,
            run_lane=self.wake_ups.pump.run,
        )

    @cached_property
    def notifier(self) -> bot_endpoint.Notifier:
        """Sends notifications, for functions of your own; bot.py has `self.notifications`."""
        return bot_endpoint.Notifier(
            self.notifications.orders, self.notifications.changes, self._clock
        )

    @cached_property
    def wake_ups(self) -> "WakeUps":
        """RESOURCE 2: what plans notifications and sends their pages; imported when asked for."""
        from bot_logic.queue_worker import lanes  # noqa: PLC0415

        return lanes.build(
            self._way_to_bot,
            self.notifications,
            self.storage,
            self._clock,
            self._chance,
            signing_keys=self.settings.trigger_signing_keys,
            rates=self.settings.channel_rates,
            telemetry=self._telemetry,
        )

    @cached_property
    def endpoint(self) -> bot_endpoint.Endpoint:
        """RESOURCE 1: the way in for channels."""
        return bot_endpoint.build(
            self._make_bot,
            bot_endpoint.EndpointSettings(
                self.settings.identity,
                self.settings.service_urls,
                self.settings.trigger_signing_keys,
                self.settings.message_lifetime,
                self.settings.max_attempts,
            ),
            bot_endpoint.Surroundings(
                self.session,
                self.credentials,
                self.storage,
                self.conversations,
                self.delivery,
                self.notifications,
                self._clock,
                self._chance,
                self._telemetry,
                self._channels,
            ),
        )

    @cached_property
    def direct_line(self) -> queue_worker.DirectLine:
        """Direct Line, as the worker uses it."""
        return queue_worker.direct_line(
            self.session, self.settings.direct_line_endpoint, self.settings.direct_line_secret
        )

    @cached_property
    def _way_to_bot(self) -> queue_worker.Triggers:
        return self._triggers or self.direct_line

    @cached_property
    def credentials(self) -> bot_endpoint.Credentials:
        """What proves to channels who the bot is."""
        return bot_endpoint.credentials_of(self.settings.identity, self.session, self._clock)

    @cached_property
    def worker(self) -> queue_worker.QueueWorker:
        """RESOURCE 2: the way back to the bot."""
        return queue_worker.build(
            self._way_to_bot,
            self.delivery,
            self._clock,
            signing_keys=self.settings.trigger_signing_keys,
            message_lifetime=self.settings.message_lifetime,
            telemetry=self._telemetry,
        )

    @cached_property
    def sweep(self) -> Sweep:
        """What keeps the tables from growing for ever. Conversations stay: a quiet user is one."""
        kept_for = {
            delivery.RECORDS: self.settings.records_kept,
            bot_endpoint.STATE: self.settings.state_kept,
            where_to_speak.FORGOTTEN: self.settings.state_kept,
        }
        return Sweep(self.storage, kept_for, self._clock)

    @cached_property
    def health(self) -> Health:
        """Everything that the two resources depend on."""
        secret_is_accepted = Seldom(self.direct_line.check, self._clock)

        async def direct_line() -> None:
            await answers(self.session, self.settings.direct_line_endpoint)
            await secret_is_accepted()

        async def login() -> None:
            await self.credentials.token()

        return Health(
            {
                "queue": self.storage.queue(QUEUE_NAME).check,
                "tables": self.storage.table(where_to_speak.TABLE_NAME).check,
                "directLine": direct_line,
                "login": login,
            },
            self._clock,
        )

    async def close(self) -> None:
        """Close what was opened. The Functions host just ends the process; tests call this."""
        for opened in ("storage", "session"):
            if opened in self.__dict__:
                await self.__dict__[opened].close()
