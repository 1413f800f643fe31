"""The app's HTTP API, called from outside: by the commands, and by the operator page.

https://learn.microsoft.com/azure/azure-functions/function-keys-how-to says what the key is.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from bot_logic.errors import ProactiveBotError, ServiceUnavailable
from bot_logic.json_text import from_json, to_json
from bot_logic.outgoing import retry_after
from bot_logic.secret import Secret

LOCAL: Final = "http://localhost:7071"
KEY_HEADER: Final = "x-functions-key"
CALL_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)  # seconds; an idle app in Azure has to start
MAX_PAUSE: Final = 30  # seconds, whatever Retry-After says
MAX_ANSWER: Final = 16 * 1024 * 1024  # bytes
RETRYABLE: Final = (429, 502, 503, 504)
KEY_WANTED: Final = (401, 403)
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


class WrongApp(ProactiveBotError):
    """What names the app, or opens it, cannot be right."""


class CallRefused(ProactiveBotError):
    """The app does not do what it was asked for."""


@dataclass(frozen=True, slots=True)
class App:
    """Where an app is, and what opens it.

    Attributes:
        url: scheme, host and port.
        key: a function key; empty for a local app, which asks for none.
    """

    url: URL
    key: Secret

    @classmethod
    def at(cls, url: str, key: str = "") -> Self:
        """Name an app.

        Raises:
            WrongApp: this is no address of an app, or one over which a key must not travel.
        """
        try:
            parsed = URL(url)
            parsed.port  # noqa: B018 - it raises
        except ValueError:
            raise WrongApp("the URL cannot be read") from None
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.user:
            raise WrongApp("the URL must be like https://NAME.azurewebsites.net")
        if parsed.path not in ("", "/") or parsed.query_string or parsed.fragment:
            raise WrongApp("the URL must end behind the host and its port")
        if parsed.scheme == "http" and parsed.host not in _THIS_MACHINE:
            raise WrongApp("the URL must begin with https://, for the key travels there")
        if not (key.isascii() and key.isprintable()):
            raise WrongApp("the key has characters that no function key has")
        return cls(parsed.origin(), Secret(key))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answers.

    Attributes:
        status: HTTP's.
        kind: the content type, without parameters.
        body: as it came, one of `MAX_ANSWER` bytes at most.
        wait: whole seconds that the app asks us to wait, if it does.
    """

    status: int
    kind: str
    body: bytes = field(repr=False)
    wait: int | None = None

    def document(self) -> Any:
        """Return its JSON; None if it is none."""
        try:
            return from_json(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait.

    Attributes:
        pauses: seconds before each further try of a call.
        look: seconds between two looks at what is under way.
    """

    pauses: tuple[float, ...] = (0.5, 2.0, 5.0)
    look: float = 1.0


PATIENCE: Final = Patience()


class ApiClient:
    """Calls an app."""

    def __init__(
        self, session: aiohttp.ClientSession, app: App, patience: Patience = PATIENCE
    ) -> None:
        self._session, self._app = session, app
        self.patience = patience

    async def once(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """Call once; `path` goes on behind `/api/` and is encoded already.

        Raises:
            ServiceUnavailable: no whole answer came.
        """
        url = URL(f"{self._app.url}/api/{path}", encoded=True)
        sent = {"Content-Type": "application/json", **headers}
        if self._app.key:
            sent[KEY_HEADER] = self._app.key.reveal()
        try:
            async with self._session.request(
                method, url, data=body, headers=sent, timeout=CALL_TIMEOUT, allow_redirects=False
            ) as answer:
                wait = retry_after(answer.headers)
                return Answer(answer.status, answer.content_type, await _read(answer), wait)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            asked = "; is `make run` going?" if self._app.url.host in _THIS_MACHINE else ""
            reason = f"does not answer: {type(error).__name__}{asked}"
            raise ServiceUnavailable(f"{self._app.url} {reason}") from error

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> Any:
        """Call, a few times if need be, and return the answer's JSON.

        Raises:
            CallRefused: the app says no, and why.
            ServiceUnavailable: it did not answer, or cannot do it now, however often it was asked.
        """
        packed = None if body is None else to_json(body)
        for pause in self.patience.pauses:
            try:
                answer = await self.once(method, path, packed, headers=headers)
            except ServiceUnavailable:
                await asyncio.sleep(pause)
                continue
            if answer.status not in RETRYABLE:
                return _taken(answer)
            await asyncio.sleep(min(max(pause, answer.wait or 0), MAX_PAUSE))
        return _taken(await self.once(method, path, packed, headers=headers))


@asynccontextmanager
async def calling(app: App, patience: Patience = PATIENCE) -> AsyncIterator[ApiClient]:
    """Open a client for as long as the block lasts."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield ApiClient(session, app, patience)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    parts, length = list[bytes](), 0
    async for part in answer.content.iter_any():
        length += len(part)
        if length > MAX_ANSWER:
            raise aiohttp.ClientPayloadError("the answer is too long")
        parts.append(part)
    return b"".join(parts)


def _taken(answer: Answer) -> Any:
    document = answer.document()
    if answer.status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
        if document is None and answer.body:
            raise CallRefused("this is not the app: its answer is no JSON")
        return document
    reason = _reason(document)
    if answer.status in RETRYABLE:
        raise ServiceUnavailable(f"the app answered {answer.status}{reason}")
    if answer.status in KEY_WANTED:
        reason += ": it wants a function key that it knows, in NOTIFICATIONS_KEY"
    raise CallRefused(f"the app answered {answer.status}{reason}")


def _reason(document: Any) -> str:
    """Return what an error of the API says: code, field and message."""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return ""
    named = f"{error['field']} " if error.get("field") else ""
    return f" {error.get('code', '')}: {named}{error.get('message', '')}"
