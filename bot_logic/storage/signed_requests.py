"""The storage requests that every message makes, sent without the SDK's clients.

A call of theirs takes a millisecond of a core, for a dozen policies and a model of each answer;
such a request takes a fifth of it. Everything rarer is left to them.
https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bot_logic.errors import ServiceUnavailable
from bot_logic.json_text import from_json
from bot_logic.storage.access import ATTEMPT_TIMEOUT, Access
from bot_logic.storage.reasons import explained

RETRY_PAUSE: Final = 1  # seconds, times chance
TOTAL_TIMEOUT: Final = 5  # seconds for one operation on a queue or table, whatever it takes
API_VERSION: Final = "2020-12-06"  # of the REST interface; the first that lets tokens at tables

_TIMEOUT: Final = aiohttp.ClientTimeout(total=ATTEMPT_TIMEOUT)
_RETRYABLE: Final = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)

_PROOF_REFUSED: Final = ("AuthenticationFailed", "InvalidAuthenticationInfo")


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
        repeated: whether the request was sent twice, so that it may meet its own first try.
        body: of a success.
    """

    status: int
    etag: str
    code: str
    repeated: bool = False
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Tell whether the service did as asked."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def reason(self) -> str:
        """The service's own word for what went wrong, with its meaning where that helps."""
        return explained(self.code or f"status {self.status}")


TextToSign = Callable[[Request, str, str], str]


def queue_text(request: Request, date: str, resource: str) -> str:
    """Return what a request to a queue is signed by, in the form SharedKeyLite."""
    headers = f"x-ms-date:{date}\nx-ms-version:{API_VERSION}"
    return f"{request.method}\n\n{request.content_type}\n\n{headers}\n{resource}"


def table_text(_request: Request, date: str, resource: str) -> str:
    """Return what a request to a table is signed by, in the form SharedKeyLite."""
    return f"{date}\n{resource}"


class SignedRequests:
    """Sends requests to one queue or table."""

    def __init__(self, access: Access, url: str, text: TextToSign) -> None:
        """Prepare to send.

        Args:
            access: to the account.
            url: the queue's or table's, without a query.
            text: what a key signs.
        """
        self._access = access
        self._url = url
        self._path = urlsplit(url).path
        self._text = text

    async def send(self, request: Request) -> Answer:
        """Send a request, and once more if that helps.

        Raises:
            NoAnswer: the second try had no answer either.
        """
        try:
            answer = await self._attempt(request)
        except NoAnswer:
            pass
        else:
            if not self._may_pass(answer):
                return answer
        await asyncio.sleep(RETRY_PAUSE * self._access.chance.fraction())
        return replace(await self._attempt(request), repeated=True)

    def _may_pass(self, answer: Answer) -> bool:
        """Tell whether a second try can end better: later, or with a new proof."""
        if answer.status == HTTPStatus.UNAUTHORIZED or answer.code in _PROOF_REFUSED:
            return self._access.authorisation.renew()
        return answer.status in _RETRYABLE

    async def _attempt(self, request: Request) -> Answer:
        date = formatdate(usegmt=True)
        try:
            proof = await self._access.authorisation.prove(
                lambda account: self._text(request, date, f"/{account}{self._path}{request.path}")
            )
            query = "&".join(filter(None, (request.query, proof.query)))
            async with self._access.session.request(
                request.method,
                URL(f"{self._url}{request.path}{'?' if query else ''}{query}", encoded=True),
                data=request.body,
                headers={
                    **request.headers,
                    "x-ms-date": date,
                    "x-ms-version": API_VERSION,
                    "Content-Type": request.content_type,
                    "Accept-Encoding": "identity",
                    **proof.headers,
                },
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                body = await response.read()
                code = "" if response.ok else _code(response.headers, body)
                etag = response.headers.get("ETag", "")
                return Answer(response.status, etag, code, body=body if response.ok else b"")
        except ServiceUnavailable as error:  # no access token
            raise NoAnswer(str(error)) from None
        except (aiohttp.ClientError, TimeoutError) as error:  # whose text may have the signature
            raise NoAnswer(type(error).__name__) from None


def _code(headers: Mapping[str, str], body: bytes) -> str:
    """Return the service's own word: queues have it in a header, tables in the body."""
    if code := headers.get("x-ms-error-code"):
        return code
    try:
        return str(from_json(body)["odata.error"]["code"])
    except (ValueError, LookupError, TypeError):
        return ""
