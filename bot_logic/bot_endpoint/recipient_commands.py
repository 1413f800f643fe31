"""What the person who receives can say: stop, start, subscribe and unsubscribe.

docs/recipients.md shows how a bot's author switches them on.
"""

import re
import unicodedata
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from botbuilder.core import TurnContext

from bot_logic.bot_endpoint.spoken import spoken_text
from bot_logic.bot_endpoint.subscriber import Subscriber
from bot_logic.deadline import within
from bot_logic.errors import BadRequest, ServiceUnavailable
from bot_logic.storage.protocols import RowRefused

LONGEST: Final = 200  # characters of a command; what is longer is none
STORE_TIMEOUT: Final = 6  # seconds
NO_TEXTS: Final[Mapping[str, "Texts"]] = {}

_NO_WORD: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of the commands and of their answers, in one language.

    `{topic}` stands for a topic's name, `{topics}` for all that there are.
    """

    stop: str = "stop"
    start: str = "start"
    subscribe: str = "subscribe"
    unsubscribe: str = "unsubscribe"
    stopped: str = "You will get no more broadcasts here. Say start to get them again."
    started: str = "You will get broadcasts here. Say stop to get none."
    subscribed: str = "You will be told about {topic}, unless you have said stop."
    unsubscribed: str = "You will no longer be told about {topic}."
    which_topic: str = "You can subscribe to: {topics}."
    not_now: str = "That did not work just now. Please say it again later."


ENGLISH: Final = Texts()


class RecipientCommands:
    """Understands what recipients say of broadcasts and topics, and does it."""

    def __init__(
        self,
        subscriber: Subscriber,
        *,
        topics: Sequence[str] = (),
        texts: Mapping[str, Texts] = NO_TEXTS,
    ) -> None:
        """Switch the commands on.

        Args:
            subscriber: the outbox has it.
            topics: which one may subscribe to; without any, only stop and start are commands.
            texts: by language or locale, such as "de" or "de-AT"; English is always understood.

        Raises:
            ValueError: a topic's name has no letter or digit, or is like another's.
        """
        self._subscriber = subscriber
        self._topics = {_plain(name): name for name in topics}
        self._texts = {locale.lower(): each for locale, each in texts.items()}
        if "" in self._topics or len(self._topics) < len(topics):
            raise ValueError("each topic needs a name with letters that no other has")

    async def answer(self, turn: TurnContext) -> bool:
        """Do what somebody said and say so, if it is a command; else return False."""
        text, texts = spoken_text(turn.activity), self._texts_for(turn.activity.locale)
        said = _plain(text) if len(text) <= LONGEST else ""
        task = self._task(turn, said, texts)
        if task is None:
            return False
        try:
            async with within(STORE_TIMEOUT, leaving=2):
                reply = await task
        except (BadRequest, RowRefused, ServiceUnavailable, TimeoutError):
            reply = texts.not_now
        await turn.send_activity(reply)
        return True

    def _texts_for(self, locale: str | None) -> Texts:
        """Return the texts of a locale, else of its language, else in English."""
        wanted = str(locale or "").lower()
        language = wanted.partition("-")[0]
        return self._texts.get(wanted) or self._texts.get(language) or ENGLISH

    def _task(self, turn: TurnContext, said: str, texts: Texts) -> Awaitable[str] | None:
        if said in _words(texts.stop, ENGLISH.stop):
            return self._stop(turn, texts)
        if said in _words(texts.start, ENGLISH.start):
            return self._start(turn, texts)
        if not self._topics:
            return None
        for word in _words(texts.unsubscribe, ENGLISH.unsubscribe):
            if said == word or said.startswith(f"{word} "):
                return self._unsubscribe(turn, said[len(word) :].strip(), texts)
        for word in _words(texts.subscribe, ENGLISH.subscribe):
            if said == word or said.startswith(f"{word} "):
                return self._subscribe(turn, said[len(word) :].strip(), texts)
        return None

    async def _stop(self, turn: TurnContext, texts: Texts) -> str:
        await self._subscriber.opt_out(turn)
        return texts.stopped

    async def _start(self, turn: TurnContext, texts: Texts) -> str:
        await self._subscriber.opt_in(turn)
        return texts.started

    async def _subscribe(self, turn: TurnContext, name: str, texts: Texts) -> str:
        topic = self._topics.get(name)
        if topic is None:
            return self._which(texts)
        await self._subscriber.subscribe(turn, topic)
        return texts.subscribed.replace("{topic}", topic)

    async def _unsubscribe(self, turn: TurnContext, name: str, texts: Texts) -> str:
        topic = self._topics.get(name)
        if topic is None:
            return self._which(texts)
        await self._subscriber.unsubscribe(turn, topic)
        return texts.unsubscribed.replace("{topic}", topic)

    def _which(self, texts: Texts) -> str:
        return texts.which_topic.replace("{topics}", ", ".join(self._topics.values()))


def _words(*words: str) -> list[str]:
    """Return what is understood, without what was left empty."""
    return [plain for plain in map(_plain, words) if plain]


def _plain(text: str) -> str:
    """Return the words of a text: neither case, nor punctuation, nor how much space, matters."""
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
