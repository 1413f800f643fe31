"""Three ways to prove to a storage account who asks: a key, a signature, an Entra token.

Each serves our own requests and the packages' clients alike.
https://learn.microsoft.com/rest/api/storageservices/authorize-requests-to-azure-storage
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

import aiohttp
from azure.core.credentials import AccessToken as SdkToken
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from bot_logic.access_token import (
    AccessToken,
    KeptToken,
    ManagedIdentity,
    TokenSource,
    managed_identity_token,
)
from bot_logic.clock import Clock
from bot_logic.errors import ServiceUnavailable
from bot_logic.secret import Secret
from bot_logic.storage.location import (
    DeveloperSignIn,
    Login,
    SharedAccessSignature,
    SharedKey,
)

STORAGE: Final = "https://storage.azure.com/"  # whom the token is for, in every cloud


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request has to carry: further headers, or a further part of its query."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


class NoAccessToken(ServiceRequestError):
    """No token could be fetched, in the words of azure-core's errors."""

    @property
    def error_code(self) -> str:
        """The reason, which names no secret."""
        return str(self.message)


class Authorisation(Protocol):
    """One way to prove who asks."""

    async def prove(self, text_to_sign: Callable[[str], str]) -> Proof:
        """Return the proof for one request.

        Args:
            text_to_sign: makes the text that a key signs, for the account of this name.

        Raises:
            ServiceUnavailable: no access token could be fetched.
        """

    def for_clients(self) -> Any:
        """Return the same as a credential of azure-core."""

    def renew(self) -> bool:
        """Get a new proof next time, since this one was refused; False if there can be none."""

    async def close(self) -> None:
        """Close what was opened for it."""


class KeyAuthorisation:
    """Signs each request with the account's key, which itself is not sent (SharedKeyLite)."""

    def __init__(self, login: SharedKey) -> None:
        self._login = login
        self._key = base64.b64decode(login.key.reveal())

    async def prove(self, text_to_sign: Callable[[str], str]) -> Proof:
        """Sign the request's text."""
        account = self._login.account
        digest = hmac.digest(self._key, text_to_sign(account).encode(), "sha256")
        signature = base64.b64encode(digest).decode()
        return Proof(headers={"Authorization": f"SharedKeyLite {account}:{signature}"})

    def for_clients(self) -> AzureNamedKeyCredential:
        """Return the key by name."""
        return AzureNamedKeyCredential(self._login.account, self._login.key.reveal())

    def renew(self) -> bool:
        """Return False: a key is as it is."""
        return False

    async def close(self) -> None:
        """Do nothing."""


class SasAuthorisation:
    """Appends the shared access signature to each address."""

    def __init__(self, login: SharedAccessSignature) -> None:
        self._login = login

    async def prove(self, text_to_sign: Callable[[str], str]) -> Proof:  # noqa: ARG002
        """Return the signature as it was given."""
        return Proof(query=self._login.token.reveal())

    def for_clients(self) -> AzureSasCredential:
        """Return the signature."""
        return AzureSasCredential(self._login.token.reveal())

    def renew(self) -> bool:
        """Return False: a signature is as it is."""
        return False

    async def close(self) -> None:
        """Do nothing."""


class TokenAuthorisation:
    """Shows an Entra token, which is fetched when it is first needed and renewed in time."""

    def __init__(self, tokens: TokenSource, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    async def prove(self, text_to_sign: Callable[[str], str]) -> Proof:  # noqa: ARG002
        """Return the token as a header."""
        token = await self._tokens.token()
        return Proof(headers={"Authorization": f"Bearer {token.reveal()}"})

    def for_clients(self) -> "TokenAuthorisation":
        """Return itself: it has what azure-core's AsyncTokenCredential asks for."""
        return self

    async def get_token(self, *_scopes: str, **_options: Any) -> SdkToken:
        """Return the token as azure-core wants it, to be asked for anew at each request.

        Raises:
            NoAccessToken: it could not be fetched.
        """
        try:
            token = await self._tokens.token()
        except ServiceUnavailable as error:
            raise NoAccessToken(str(error)) from error
        return SdkToken(token.reveal(), int(self._clock.now()))

    def renew(self) -> bool:
        """Fetch a new token next time."""
        self._tokens.forget()
        return True

    async def close(self) -> None:
        """Do nothing; azure-core calls it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return


def authorisation(login: Login, session: aiohttp.ClientSession, clock: Clock) -> Authorisation:
    """Make the authorisation for a way to log in; `session` fetches the tokens."""
    match login:
        case SharedKey():
            return KeyAuthorisation(login)
        case SharedAccessSignature():
            return SasAuthorisation(login)
        case ManagedIdentity():
            return TokenAuthorisation(
                KeptToken(lambda: managed_identity_token(session, login, STORAGE, clock), clock),
                clock,
            )
        case DeveloperSignIn():
            return TokenAuthorisation(KeptToken(lambda: _developers_token(clock), clock), clock)


async def _developers_token(clock: Clock) -> AccessToken:
    """Ask azure-identity, which takes time to import and is needed here only."""
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

    try:
        async with DefaultAzureCredential() as credential:
            token = await credential.get_token(f"{STORAGE}.default")
    except ClientAuthenticationError as error:
        raise ServiceUnavailable("no access token: nobody is signed in (try `az login`)") from error
    return AccessToken(Secret(token.token), token.expires_on - clock.now())
