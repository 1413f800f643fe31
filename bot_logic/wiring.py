"""The composition root: builds each long-lived thing once, on the loop that uses it.

A Functions worker has one event loop and no start-up hook, so each part is made when it is first
asked for. Tests build their own `Wiring` with their own settings, and patch nothing.
"""

import json
import logging
import os
from functools import cache, cached_property
from typing import Any

import aiohttp
import azure.functions as func
from botbuilder.core import ConversationState

from bot_logic.bot_endpoint.adapter import FunctionsAdapter
from bot_logic.bot_endpoint.authentication import TokenAuthentication
from bot_logic.bot_endpoint.bot import ProactiveBot
from bot_logic.bot_endpoint.connector import PooledConnectorFactory
from bot_logic.bot_endpoint.conversations import TABLE_NAME as CONVERSATIONS_TABLE
from bot_logic.bot_endpoint.conversations import ConversationRecorder, Conversations
from bot_logic.bot_endpoint.counter import MessageCounter
from bot_logic.bot_endpoint.credentials import Anonymous, AppCredentials
from bot_logic.bot_endpoint.signing_keys import SigningKeys
from bot_logic.bot_endpoint.state import TABLE_NAME as STATE_TABLE
from bot_logic.bot_endpoint.state import RememberingStorage, TableStorage
from bot_logic.bot_endpoint.trigger import TriggerHandler
from bot_logic.dead_letters.cabinet import TABLE_NAME as DEAD_LETTERS_TABLE
from bot_logic.dead_letters.cabinet import Cabinet
from bot_logic.deliveries import TABLE_NAME as DELIVERIES_TABLE
from bot_logic.deliveries import Deliveries
from bot_logic.envelope import POISON_QUEUE_NAME, QUEUE_NAME, WORKER_USER_ID
from bot_logic.errors import SettingsError
from bot_logic.health import Health, answers
from bot_logic.queue_worker.direct_line import DirectLine
from bot_logic.queue_worker.worker import QueueWorker
from bot_logic.settings import Settings
from bot_logic.storage_queue import ReceivedMessage, StorageQueue
from bot_logic.table import Table
from bot_logic.undelivered import Undelivered
from bot_logic.wire import to_json

logger = logging.getLogger(__name__)


@cache
def wiring() -> "Wiring":
    """The app's parts, wired from the environment.

    Raises:
        SettingsError: naming every setting that is missing or malformed.
    """
    logging.getLogger("azure").setLevel(logging.WARNING)  # else every call's headers are logged
    return Wiring(Settings.from_environment(os.environ))


def may_serve() -> bool:
    """Whether all settings are right; if not, the log says which are not."""
    try:
        wiring()
    except SettingsError as error:
        logger.error("only health is served: %s", error)  # noqa: TRY400 - no traceback needed
        return False
    return True


async def report_health() -> func.HttpResponse:
    """200 with what is reachable, or 503 with what is not, or with the settings to mend."""
    try:
        report = await wiring().health.report()
    except SettingsError as error:
        return _json(503, {"status": "misconfigured", "problems": list(error.problems)})
    status = "ok" if report.healthy else "unhealthy"
    return _json(200 if report.healthy else 503, {"status": status, "checks": dict(report.checks)})


class Wiring:
    """All long-lived parts of the app, each made at its first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def messages(self, request: func.HttpRequest) -> func.HttpResponse:
        """RESOURCE 1: a channel's request."""
        return await self.adapter.process(request, self.bot)

    async def deliver(self, message: ReceivedMessage) -> None:
        """RESOURCE 2: a message from the queue."""
        await self.worker.handle(message)

    async def bury(self, message: ReceivedMessage) -> None:
        """RESOURCE 2, its other end: a message from the poison queue."""
        await self.cabinet.file(message)

    @cached_property
    def session(self) -> aiohttp.ClientSession:
        """One connection pool for all calls to Direct Line, channels and login servers."""
        # Bounded by host, so that a channel that hangs does not take the places of the others.
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=self.settings.connections_per_host)
        # No neighbour sets cookies, and none shall: looking for them costs each call.
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), json_serialize_bytes=to_json
        )

    @cached_property
    def queue(self) -> StorageQueue:
        """Where the bot puts what users say."""
        return StorageQueue(self.settings.storage_connection, QUEUE_NAME)

    @cached_property
    def poison_queue(self) -> StorageQueue:
        """Where messages end that cannot be delivered."""
        return StorageQueue(self.settings.storage_connection, POISON_QUEUE_NAME)

    @cached_property
    def undelivered(self) -> Undelivered:
        """What becomes of messages that were not delivered."""
        return Undelivered(self.queue, self.poison_queue, max_attempts=self.settings.max_attempts)

    @cached_property
    def state_table(self) -> Table:
        """The bot's state."""
        return Table(self.settings.storage_connection, STATE_TABLE)

    @cached_property
    def conversations_table(self) -> Table:
        """Conversation references."""
        return Table(self.settings.storage_connection, CONVERSATIONS_TABLE)

    @cached_property
    def deliveries_table(self) -> Table:
        """Which messages were delivered."""
        return Table(self.settings.storage_connection, DELIVERIES_TABLE)

    @cached_property
    def dead_letters_table(self) -> Table:
        """What could not be delivered."""
        return Table(self.settings.storage_connection, DEAD_LETTERS_TABLE)

    @cached_property
    def deliveries(self) -> Deliveries:
        """Keeps each message to one end."""
        return Deliveries(self.deliveries_table)

    @cached_property
    def cabinet(self) -> Cabinet:
        """Where dead letters wait for an operator."""
        return Cabinet(self.dead_letters_table, self.deliveries, self.queue, self.poison_queue)

    @cached_property
    def conversations(self) -> Conversations:
        """Where the bot can speak first."""
        return Conversations(self.conversations_table)

    @cached_property
    def bot(self) -> ProactiveBot:
        """What the bot says."""
        state = ConversationState(RememberingStorage(TableStorage(self.state_table)))
        return ProactiveBot(self.queue, MessageCounter(state), self.settings.message_lifetime)

    @cached_property
    def adapter(self) -> FunctionsAdapter:
        """The way in for channels, with the trigger handler and the recorder before the bot."""
        adapter = FunctionsAdapter(self._authentication(), self.settings.service_urls)
        adapter.use(
            TriggerHandler(
                self.settings.trigger_signing_keys,
                self.bot.on_trigger,
                self.conversations,
                self.deliveries,
                self.undelivered,
            )
        )
        adapter.use(ConversationRecorder(self.conversations))
        return adapter

    @cached_property
    def worker(self) -> QueueWorker:
        """The way back to the bot."""
        direct_line = DirectLine(
            self.session,
            self.settings.direct_line_endpoint,
            self.settings.direct_line_secret,
            user_id=WORKER_USER_ID,
        )
        return QueueWorker(
            direct_line,
            self.undelivered,
            self.settings.trigger_signing_keys,
            self.settings.message_lifetime,
        )

    @cached_property
    def health(self) -> Health:
        """Everything that the two resources depend on."""
        return Health(
            {
                "queue": self.queue.create,
                "tables": self.conversations_table.create,
                "directLine": lambda: answers(self.session, self.settings.direct_line_endpoint),
            }
        )

    async def close(self) -> None:
        """Close what was opened. The Functions host just ends the process; tests call this."""
        for name in (
            "session",
            "queue",
            "poison_queue",
            "state_table",
            "conversations_table",
            "deliveries_table",
            "dead_letters_table",
        ):
            if name in self.__dict__:
                await self.__dict__[name].close()

    def _authentication(self) -> TokenAuthentication:
        identity = self.settings.identity
        credentials = (
            Anonymous() if identity.is_anonymous else AppCredentials(self.session, identity)
        )
        return TokenAuthentication(
            identity,
            SigningKeys(self.session, identity.channel_openid_metadata_url),
            SigningKeys(self.session, identity.emulator_openid_metadata_url),
            PooledConnectorFactory(self.session, credentials, self.settings.service_urls),
        )


def _json(status: int, body: dict[str, Any]) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")
