"""The bot's own access token, which it shows to the channels.

OAuth 2.0 client credentials, or the managed identity of the Function App; fetched without blocking
the event loop, kept until shortly before it expires, fetched once however many turns wait for it.
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import logging
import time
from typing import Any, Final, Protocol

import aiohttp

from bot_logic.errors import ServiceUnavailable
from bot_logic.settings import BotIdentity, Secret
from bot_logic.single_flight import SingleFlight

CALL_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)  # seconds
REFRESH_BEFORE: Final = 300  # seconds before a token expires
RETRY_PAUSE: Final = 30  # seconds after a refresh that failed while the token is still valid

logger = logging.getLogger(__name__)


class Credentials(Protocol):
    """Something that can say who the bot is."""

    async def token(self) -> Secret | None:
        """An access token that is valid now, or None for an anonymous bot."""


class Anonymous:
    """The credentials of a bot without an app id, which only a local run may have."""

    async def token(self) -> None:
        """No token."""


class AppCredentials:
    """The access token of a registered bot."""

    def __init__(self, session: aiohttp.ClientSession, identity: BotIdentity) -> None:
        self._session = session
        self._identity = identity
        self._token = Secret("")
        self._refresh_at = self._expires_at = float("-inf")  # on the monotonic clock
        self._refresh_once = SingleFlight(self._refresh)  # however many turns wait for it

    async def token(self) -> Secret:
        """An access token that is valid now.

        Raises:
            ServiceUnavailable: there is none and none could be fetched.
        """
        if time.monotonic() >= self._refresh_at:
            await self._refresh_once()
        return self._token

    async def _refresh(self) -> None:
        try:
            await self._fetch()
        except ServiceUnavailable as error:
            if time.monotonic() >= self._expires_at:
                raise
            self._refresh_at = time.monotonic() + RETRY_PAUSE
            logger.warning("going on with the token at hand: %s", error)

    async def _fetch(self) -> None:
        asked_at = time.monotonic()
        try:
            async with self._request() as response:
                body = await response.json(content_type=None)
                if not response.ok:
                    raise ServiceUnavailable(f"no access token: {response.status} {_code(body)}")
                self._token = Secret(body["access_token"])
                lifetime = float(body["expires_in"])
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as error:
            raise ServiceUnavailable(f"no access token: {type(error).__name__}") from error
        self._expires_at = asked_at + lifetime
        self._refresh_at = asked_at + max(lifetime - REFRESH_BEFORE, lifetime / 2)

    def _request(self) -> Any:
        if self._identity.app_type == "UserAssignedMSI":
            return self._session.get(
                self._identity.identity_endpoint,
                params={
                    "api-version": "2019-08-01",
                    "resource": self._identity.oauth_scope,
                    "client_id": self._identity.app_id,
                },
                headers={"X-IDENTITY-HEADER": self._identity.identity_header.reveal()},
                timeout=CALL_TIMEOUT,
                allow_redirects=False,
            )
        return self._session.post(
            f"{self._identity.authority}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self._identity.app_id,
                "client_secret": self._identity.password.reveal(),
                "scope": f"{self._identity.oauth_scope}/.default",
            },
            timeout=CALL_TIMEOUT,
            allow_redirects=False,
        )


def _code(body: Any) -> str:
    return str(body.get("error", ""))[:64] if isinstance(body, dict) else ""
