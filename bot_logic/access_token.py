"""Access tokens: fetched without blocking, kept until shortly before they expire, shared.

Two kinds of service hand them out: a login server for a client secret (OAuth 2.0 client
credentials, RFC 6749 section 4.4), and the managed identity endpoint of the Function App.
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp

from bot_logic.clock import SYSTEM_CLOCK, Clock
from bot_logic.errors import ServiceUnavailable
from bot_logic.outgoing import read_json
from bot_logic.secret import Secret
from bot_logic.single_flight import SingleFlight
from bot_logic.telemetry.log_events import Event, EventLog

CALL_TIMEOUT: Final = aiohttp.ClientTimeout(total=4)  # seconds, for the whole call
REFRESH_BEFORE: Final = 300  # seconds before a token expires
RETRY_PAUSE: Final = 30  # seconds after a refresh that failed while the token is still valid
# Seconds for which a token is kept that does not say how long it lives: RFC 6749 section 5.1 only
# recommends that it does. Should it live shorter, the service that refuses it ends it.
UNSTATED_LIFETIME: Final = 300

log = EventLog(__name__)


class TokenSource(Protocol):
    """Something that has an access token that is valid now."""

    async def token(self) -> Secret:
        """Return the token.

        Raises:
            ServiceUnavailable: there is none and none could be fetched.
        """

    def forget(self) -> None:
        """Fetch a new token next time, as when the service refused this one."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as it was handed out, and for how many seconds it is valid."""

    secret: Secret
    lifetime: float


class KeptToken:
    """Keeps a token, and fetches the next one in time, once however many wait for it."""

    def __init__(
        self, fetch: Callable[[], Awaitable[AccessToken]], clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token = Secret("")
        self._refresh_at = self._expires_at = float("-inf")  # as the clock's `elapsed`
        self._refresh_once = SingleFlight(self._refresh)

    async def token(self) -> Secret:
        """Return a token that is valid now.

        Raises:
            ServiceUnavailable: there is none and none could be fetched.
        """
        if self._clock.elapsed() >= self._refresh_at:
            await self._refresh_once()
        return self._token

    def forget(self) -> None:
        """Fetch a new token next time."""
        self._refresh_at = self._expires_at = float("-inf")

    async def _refresh(self) -> None:
        asked_at = self._clock.elapsed()
        try:
            token = await self._fetch()
        except ServiceUnavailable as error:
            if self._clock.elapsed() >= self._expires_at:
                raise
            self._refresh_at = min(self._clock.elapsed() + RETRY_PAUSE, self._expires_at)
            log.warning(Event.TOKEN_KEPT, reason=str(error))
            return
        self._token = token.secret
        self._expires_at = asked_at + token.lifetime
        self._refresh_at = asked_at + max(token.lifetime - REFRESH_BEFORE, token.lifetime / 2)


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The Function App's user-assigned identity, and where its tokens are to be had.

    Attributes:
        endpoint: the platform's token endpoint, IDENTITY_ENDPOINT.
        header: the secret header that it asks for, IDENTITY_HEADER.
        client_id: which of the app's identities; empty means the system-assigned one.
    """

    endpoint: str
    header: Secret
    client_id: str


async def managed_identity_token(
    session: aiohttp.ClientSession, identity: ManagedIdentity, resource: str, clock: Clock
) -> AccessToken:
    """Ask the platform for a token of the app's own identity.

    Raises:
        ServiceUnavailable: it could not be fetched.
    """
    query = {"api-version": "2019-08-01", "resource": resource}
    if identity.client_id:
        query["client_id"] = identity.client_id
    return await _answered(
        session.get(
            identity.endpoint,
            params=query,
            headers={
                "X-IDENTITY-HEADER": identity.header.reveal(),
                "Accept-Encoding": "identity",  # storage's session leaves answers compressed
            },
            timeout=CALL_TIMEOUT,
            allow_redirects=False,
        ),
        clock,
    )


async def client_secret_token(
    session: aiohttp.ClientSession, authority: str, form: Mapping[str, str], clock: Clock
) -> AccessToken:
    """Ask a login server for a token, with the fields of a client credentials grant.

    Raises:
        ServiceUnavailable: it could not be fetched.
    """
    url = f"{authority}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", **form}
    return await _answered(
        session.post(url, data=form, timeout=CALL_TIMEOUT, allow_redirects=False), clock
    )


async def _answered(call: Any, clock: Clock) -> AccessToken:
    try:
        async with call as response:
            body = await read_json(response)
            if not response.ok:
                raise ServiceUnavailable(f"no access token: {response.status} {_code(body)}")
            return AccessToken(_secret(body["access_token"]), _lifetime(body, clock))
    except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as error:
        raise ServiceUnavailable(f"no access token: {type(error).__name__}") from error


def _secret(token: Any) -> Secret:
    """Return a token that can be shown in a header.

    Raises:
        ValueError: it cannot.
    """
    if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
        raise ValueError("not a token")
    return Secret(token)


def _lifetime(body: Mapping[str, Any], clock: Clock) -> float:
    """Return seconds: as `expires_in` says, or `expires_on`, the Unix time at which it ends.

    Either may be a number or a string, null, empty or missing, depending on who answers.
    https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
    """
    lifetime, end = _seconds(body.get("expires_in")), _seconds(body.get("expires_on"))
    if lifetime is not None:
        return lifetime
    return UNSTATED_LIFETIME if end is None else end - clock.now()


def _seconds(value: Any) -> float | None:
    """Return a number of seconds, or None for what is none."""
    try:
        seconds = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if seconds is not None and math.isfinite(seconds) else None


def _code(body: Any) -> str:
    """Return the login server's words for an error: OAuth's own, and the numbers of Entra.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    """
    if not isinstance(body, dict):
        return ""
    code, numbers = body.get("error"), body.get("error_codes")
    words = [code[:64]] if isinstance(code, str) and code.isprintable() else []
    words += [f"AADSTS{number}"[:20] for number in _items(numbers)[:3] if type(number) is int]
    return " ".join(words)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
