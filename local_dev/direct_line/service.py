"""The running service: its settings, and everything the request handlers share."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from yarl import URL

from bot_logic.admin.api_client import App
from local_dev.callers import ONLY_THIS_MACHINE, Callers
from local_dev.direct_line.bot_client import BOT_TIMEOUT, BOT_WAIT, BotClient
from local_dev.direct_line.conversations import Conversation, Conversations
from local_dev.direct_line.faults import Faults
from local_dev.direct_line.tokens import TOKEN_LIFETIME, Tokens
from local_dev.direct_line.wire import JsonObject
from local_dev.operator_page.app import Operated

KEEP_ALIVE = 20.0  # seconds between empty frames on a quiet stream
WEB_CHAT = Path(__file__).parent.parent / "web_chat"


@dataclass(frozen=True)
class Settings:
    """What one instance is told.

    Attributes:
        bot_url: The bot's messaging endpoint.
        secret: The Direct Line secret.
        app_id: The bot's app id. If empty, nothing is signed between the bot and this service.
        app_password: What the bot proves itself with at the token endpoint.
        port: On loopback; 0 takes a free one.
        token_lifetime: Of a Direct Line token, in seconds.
        bot_timeout: How long the bot may take for one activity, in seconds.
        bot_wait: How long a conversationUpdate is held for a bot that is not up yet, in seconds.
        keep_alive: Between empty frames on a quiet stream, in seconds.
        web_chat: The folder of the chat page.
        callers: Who may call.
        memory: The file in which conversations outlive it; None for none.
    """

    bot_url: str
    secret: str = field(repr=False)
    app_id: str = ""
    app_password: str = field(default="", repr=False)
    port: int = 0
    token_lifetime: float = TOKEN_LIFETIME
    bot_timeout: float = BOT_TIMEOUT
    bot_wait: float = BOT_WAIT
    keep_alive: float = KEEP_ALIVE
    web_chat: Path = WEB_CHAT
    callers: Callers = ONLY_THIS_MACHINE
    memory: Path | None = None

    @property
    def operated(self) -> Operated:
        """The bot's app, as the operator page sees it; locally it asks for no key."""
        return Operated(App.at(str(URL(self.bot_url).origin())))


@dataclass(frozen=True)
class Upload:
    """A file a user sent."""

    content: bytes
    content_type: str


class DirectLine:
    """One running instance. Tests may reach into its parts.

    Attributes:
        settings: What it was told.
        base_url: Where it answers; to the bot this is the `serviceUrl`.
        tokens: The Direct Line tokens.
        conversations: What was said.
        bot: The way to the bot.
        bot_account: The bot as a member of its conversations.
        bot_tokens: What the bot may call with, and until when on the loop's clock.
        faults: The faults in force.
        uploads: The files users sent, by unguessable id.
        page_users: Which conversation each user of the chat page is in.
    """

    def __init__(self, settings: Settings, base_url: str) -> None:
        self.settings = settings
        self.base_url = base_url
        self.tokens = Tokens(settings.secret, settings.token_lifetime)
        self.conversations = Conversations()
        self.bot = BotClient(
            settings.bot_url, settings.app_id, base_url, settings.bot_timeout, settings.bot_wait
        )
        self.bot_account: JsonObject = {"id": settings.app_id or "bot", "name": "Bot"}
        self.bot_tokens: dict[str, float] = {}
        self.faults = Faults()
        self.uploads: dict[str, Upload] = {}
        self.page_users: dict[str, str] = {}

    @property
    def secret(self) -> str:
        """The Direct Line secret."""
        return self.settings.secret

    def tell(self, conversation: Conversation, update: JsonObject) -> None:
        """Tell the bot something of a conversation once it is up, even after a restart of this."""

        def forget(telling: asyncio.Task[None]) -> None:
            if not telling.cancelled():  # as it is when this service ends
                conversation.has_told(update)

        conversation.has_to_tell(update)
        self.bot.send_later(update).add_done_callback(forget)

    def tell_again(self) -> None:
        """Tell the bot what it was not told before this service ended."""
        for conversation in self.conversations:
            held, conversation.untold = conversation.untold, []
            for update in held:
                self.tell(conversation, update | self.envelope(conversation.id))

    def envelope(self, conversation_id: str) -> JsonObject:
        """Return what every activity of a conversation carries, whoever sent it."""
        return {
            "channelId": "directline",
            "serviceUrl": self.base_url,
            "conversation": {"id": conversation_id},
        }


SERVICE = web.AppKey("service", DirectLine)
