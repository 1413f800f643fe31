"""Who may talk to the bot: the checks that each incoming request's token must pass.

Replaces the SDK's own, which block the event loop and fail with a variety of exceptions.
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import jwt
from botbuilder.schema import Activity
from botframework.connector.auth import (
    AuthenticationConstants,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    ConnectorFactory,
)
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from jwt.types import Options

from bot_logic.bot_endpoint.sdk.signing_keys import SigningKey, SigningKeys
from bot_logic.bot_identity import BotIdentity
from bot_logic.clock import Clock
from bot_logic.errors import BadRequest

CLOCK_SKEW: Final = 300  # seconds, the documented allowance
# PyJWT looks at the machine's clock; the times are checked here, by the clock that is handed in.
_OPTIONS: Final[Options] = {
    "require": ["exp", "iss", "aud"],
    "verify_aud": False,  # which PyJWT compares to the letter
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
_SERVICE_URL_CLAIM: Final = AuthenticationConstants.SERVICE_URL_CLAIM.lower()
MAX_TOKEN_LENGTH: Final = 16 * 1024  # characters
# Microsoft's own tenants, in which the Emulator gets its tokens for a multi-tenant bot.
_EMULATOR_TENANTS: Final = (
    "d6d49420-f39b-4df7-a1dc-d59a935871db",
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "cab8a31a-1906-4287-a0d8-4eef66b95f6e",
)
_EMULATOR_ISSUERS: Final = (
    "https://sts.windows.net/{}/",
    "https://login.microsoftonline.com/{}/v2.0",
    "https://login.microsoftonline.us/{}/v2.0",
)


class Unauthorized(BadRequest):
    """The request does not prove who sent it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=401, code="Unauthorized")


class Forbidden(BadRequest):
    """The sender is known, and may not do this."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=403, code="Forbidden")


class TokenAuthentication(BotFrameworkAuthentication):
    """Checks tokens from channels and from the Emulator; lets all in if the bot is anonymous."""

    def __init__(
        self,
        identity: BotIdentity,
        channel_keys: SigningKeys,
        emulator_keys: SigningKeys,
        connector_factory: ConnectorFactory,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._identity = identity
        self._channel_keys = channel_keys
        self._emulator_keys = emulator_keys
        self.connector_factory = connector_factory
        tenants = (*_EMULATOR_TENANTS, *filter(None, [identity.tenant_id.lower()]))
        self._emulator_issuers = {i.format(t) for i in _EMULATOR_ISSUERS for t in tenants}

    async def authenticate_request(
        self, activity: Activity, auth_header: str
    ) -> AuthenticateRequestResult:
        """Do as `authenticate` does; this is the name that the SDK calls."""
        return await self.authenticate(activity.channel_id, activity.service_url, auth_header)

    async def authenticate(
        self, channel_id: str, service_url: str, auth_header: str
    ) -> AuthenticateRequestResult:
        """Check a request's token against the bot's identity and where the request says it is from.

        Raises:
            Unauthorized, Forbidden: it does not pass; the message says why.
            ServiceUnavailable: the signing keys cannot be had.
        """
        claims: dict[str, Any] = {}
        if not self._identity.is_anonymous:
            claims = await self._claims(channel_id, service_url, auth_header)
        result = AuthenticateRequestResult()
        result.claims_identity = _claims_identity(claims)
        result.audience = self._identity.oauth_scope
        result.connector_factory = self.connector_factory
        return result

    async def authenticate_streaming_request(self, *_: str) -> AuthenticateRequestResult:
        """Refuse: Functions has no streaming connection to a bot."""
        raise Forbidden("streaming connections are not supported")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:  # noqa: ARG002
        """Return the one factory that all turns share."""
        return self.connector_factory

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """Return None: this bot signs no users in, and the SDK would build one for each turn."""

    def get_originating_audience(self) -> str:
        """Return the scope that the bot asks tokens for."""
        return self._identity.oauth_scope

    def own_identity(self) -> ClaimsIdentity:
        """Return the bot's own identity, for a turn that no activity asked for."""
        app_id = self._identity.app_id
        names = (AuthenticationConstants.AUDIENCE_CLAIM, AuthenticationConstants.APP_ID_CLAIM)
        return _claims_identity(dict.fromkeys(names, app_id) if app_id else {})

    async def _claims(self, channel_id: str, service_url: str, auth_header: str) -> dict[str, Any]:
        token = _bearer_token(auth_header)
        issuer = _unverified(jwt.decode, token, options={"verify_signature": False}).get("iss")
        if issuer == self._identity.channel_token_issuer:
            return await self._channel_claims(token, channel_id, service_url)
        if isinstance(issuer, str) and issuer in self._emulator_issuers:
            return await self._emulator_claims(token, issuer)
        raise Unauthorized("the token's issuer is not trusted")

    async def _channel_claims(
        self, token: str, channel_id: str, service_url: str
    ) -> dict[str, Any]:
        key = await _signing_key(self._channel_keys, token)
        claims = self._verified(token, key, self._identity.channel_token_issuer)
        if key.endorsements and channel_id.lower() not in key.endorsements:
            raise Forbidden("the token's key is not endorsed for this channel")
        if not _are_for(service_url, claims):
            raise Forbidden("the token was issued for another service URL")
        return claims

    async def _emulator_claims(self, token: str, issuer: str) -> dict[str, Any]:
        claims = self._verified(token, await _signing_key(self._emulator_keys, token), issuer)
        holder = "azp" if claims.get("ver") == "2.0" else "appid"
        if not _is_same_id(claims.get(holder), self._identity.app_id):
            raise Forbidden("the token was issued to another app")
        return claims

    def _verified(self, token: str, key: SigningKey, issuer: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                issuer=issuer,
                options=_OPTIONS,
            )
            _check_audience(claims["aud"], self._identity.app_id)
            self._check_times(claims)
        except jwt.InvalidAudienceError:
            raise Forbidden("the token was issued for another bot") from None
        except jwt.ExpiredSignatureError:
            raise Unauthorized("the token has expired") from None
        except (jwt.InvalidTokenError, RecursionError) as error:
            raise Unauthorized(f"the token is not valid: {type(error).__name__}") from None
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now()
        times = [claims.get(name) for name in ("exp", "nbf", "iat")]
        expires, *starts = [_seconds(time) for time in times]
        if expires is None or expires <= now - CLOCK_SKEW:
            raise jwt.ExpiredSignatureError
        if any(start is not None and start > now + CLOCK_SKEW for start in starts):
            raise jwt.ImmatureSignatureError


def _check_audience(audience: Any, app_id: str) -> None:
    """Let pass a token for this bot; RFC 7519 lets it be for several."""
    bots = audience if isinstance(audience, list) else [audience]
    if not any(_is_same_id(bot, app_id) for bot in bots):
        raise jwt.InvalidAudienceError


def _is_same_id(value: Any, app_id: str) -> bool:
    """Compare ids of apps: they are GUIDs, which Microsoft's services read in either case."""
    return isinstance(value, str) and value.lower() == app_id.lower()


def _are_for(service_url: str, claims: Mapping[str, Any]) -> bool:
    """Tell whether a token was issued for this service URL, and for no other.

    The claim is `serviceurl` in tokens and `serviceUrl` in the documentation, its value comes with
    a last slash and without one, whichever the activity has.
    """
    urls = [url for name, url in claims.items() if name.lower() == _SERVICE_URL_CLAIM]
    return bool(urls) and all(_is_same_url(url, service_url) for url in urls)


def _is_same_url(one: Any, other: str) -> bool:
    return isinstance(one, str) and _plain_url(one) == _plain_url(other)


def _plain_url(url: str) -> str:
    return url.lower().removesuffix("/")


def _seconds(value: Any) -> float | None:
    """Return a token's time; RFC 7519 lets it be any number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise jwt.DecodeError("a time is not a number")
    return value


def _claims_identity(claims: dict[str, Any]) -> ClaimsIdentity:
    kind = None if claims else AuthenticationConstants.ANONYMOUS_AUTH_TYPE
    return ClaimsIdentity(claims, is_authenticated=True, authentication_type=kind)


def _bearer_token(auth_header: str) -> str:
    scheme, _, token = auth_header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("a bearer token is required")
    if len(token) > MAX_TOKEN_LENGTH:
        raise Unauthorized("the token is too long")
    return token


async def _signing_key(keys: SigningKeys, token: str) -> SigningKey:
    key_id = _unverified(jwt.get_unverified_header, token).get("kid")
    key = await keys.find(key_id) if isinstance(key_id, str) else None
    if key is None:
        raise Unauthorized("the token's signing key is not known")
    return key


def _unverified(read: Any, token: str, **options: Any) -> dict[str, Any]:
    """Look into a token before its signature is checked; trust nothing that is seen there."""
    try:
        return dict(read(token, **options))
    except (jwt.InvalidTokenError, RecursionError, ValueError, TypeError):
        raise Unauthorized("the token is malformed") from None
