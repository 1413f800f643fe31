"""The storage requests that every message makes, sent without the SDK's clients.

A call of theirs takes a millisecond of a core, for a dozen policies and a model of each answer;
such a request takes a fifth of it. Everything rarer is left to them.
https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
"""

import asyncio
import base64
import hmac
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bot_logic.settings import Secret, connection_parts
from bot_logic.wire import from_json

CALL_TIMEOUT: Final = 2  # seconds for one attempt; a turn has 15 for everything
RETRIES: Final = 1
RETRY_PAUSE: Final = 1  # seconds, times chance

_VERSION: Final = "2019-02-02"  # of the REST interface, as azure-data-tables has it
_TIMEOUT: Final = aiohttp.ClientTimeout(sock_connect=CALL_TIMEOUT, sock_read=CALL_TIMEOUT)
_RETRY_HELPS: Final = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


class NoAnswer(Exception):
    """The service cannot be reached, or is too slow. The text names no address and no secret."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to send to a queue or table.

    Attributes:
        method: of HTTP.
        content_type: of the body.
        body: to send.
        path: what follows the queue's or table's own address; encoded already.
        query: without a question mark; encoded already.
        headers: besides those that every request has.
    """

    method: str
    content_type: str
    body: bytes
    path: str = ""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said.

    Attributes:
        status: of HTTP.
        etag: of the row that was written, or "".
        code: the service's own word for an error, or "".
    """

    status: int
    etag: str
    code: str

    @property
    def fine(self) -> bool:
        """Whether the service did as asked."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def reason(self) -> str:
        """What went wrong, in a word."""
        return self.code or f"status {self.status}"


TextToSign = Callable[[Request, str, str], str]


def queue_text(request: Request, date: str, resource: str) -> str:
    """What a request to a queue is signed by, in the form SharedKeyLite."""
    headers = f"x-ms-date:{date}\nx-ms-version:{_VERSION}"
    return f"{request.method}\n\n{request.content_type}\n\n{headers}\n{resource}"


def table_text(_request: Request, date: str, resource: str) -> str:
    """What a request to a table is signed by, in the form SharedKeyLite."""
    return f"{date}\n{resource}"


class StorageRequests:
    """Sends requests to one queue or table."""

    def __init__(
        self, session: aiohttp.ClientSession, connection: Secret, url: str, text: TextToSign
    ) -> None:
        """Prepare to send.

        Args:
            session: which sends; it may leave answers compressed.
            connection: the account's connection string, with a key or a shared access signature.
            url: the queue's or table's; what follows a question mark is left out.
            text: what is signed.
        """
        parts = connection_parts(connection.reveal())
        self._session = session
        self._account = parts.get("accountname", "")
        self._key = Secret(parts.get("accountkey", ""))
        token = "" if self._key.reveal() else parts.get("sharedaccesssignature", "")
        self._token = Secret(token.removeprefix("?"))
        self._url = url.partition("?")[0]
        self._path = urlsplit(self._url).path
        self._text = text

    async def send(self, request: Request) -> Answer:
        """Send a request, and once more if that helps.

        Raises:
            NoAnswer: nor did it then.
        """
        for _ in range(RETRIES):
            try:
                answer = await self._attempt(request)
            except NoAnswer:
                pass
            else:
                if answer.status not in _RETRY_HELPS:
                    return answer
            await asyncio.sleep(RETRY_PAUSE * random.random())  # noqa: S311 - jitter
        return await self._attempt(request)

    async def _attempt(self, request: Request) -> Answer:
        query = "&".join(filter(None, (request.query, self._token.reveal())))
        url = f"{self._url}{request.path}{'?' if query else ''}{query}"
        try:
            async with self._session.request(
                request.method,
                URL(url, encoded=True),
                data=request.body,
                headers={**request.headers, **self._headers(request)},
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                body = await response.read()
                code = "" if response.ok else _code(response.headers, body)
                return Answer(response.status, response.headers.get("ETag", ""), code)
        except (aiohttp.ClientError, TimeoutError) as error:  # whose text may have the signature
            raise NoAnswer(type(error).__name__) from None

    def _headers(self, request: Request) -> dict[str, str]:
        date = formatdate(usegmt=True)
        headers = {
            "x-ms-date": date,
            "x-ms-version": _VERSION,
            "Content-Type": request.content_type,
            "Accept-Encoding": "identity",
        }
        if key := self._key.reveal():
            text = self._text(request, date, f"/{self._account}{self._path}{request.path}")
            signature = hmac.digest(base64.b64decode(key), text.encode(), "sha256")
            signed = base64.b64encode(signature).decode()
            headers["Authorization"] = f"SharedKeyLite {self._account}:{signed}"
        return headers


def _code(headers: Mapping[str, str], body: bytes) -> str:
    """The service's own word: queues have it in a header, tables in the body."""
    if code := headers.get("x-ms-error-code"):
        return code
    try:
        return str(from_json(body)["odata.error"]["code"])
    except (ValueError, LookupError, TypeError):
        return ""
