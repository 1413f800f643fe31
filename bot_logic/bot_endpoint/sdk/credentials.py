"""The bot's own access token, which it shows to the channels.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

from typing import Protocol

import aiohttp

from bot_logic.access_token import (
    AccessToken,
    KeptToken,
    ManagedIdentity,
    client_secret_token,
    managed_identity_token,
)
from bot_logic.bot_identity import BotIdentity
from bot_logic.clock import Clock
from bot_logic.secret import Secret


class Credentials(Protocol):
    """Something that can say who the bot is."""

    async def token(self) -> Secret | None:
        """Return an access token that is valid now, or None for an anonymous bot."""

    def forget(self) -> None:
        """Fetch a new token next time, since this one was refused."""


class Anonymous:
    """The credentials of a bot without an app id, which only a local run may have."""

    async def token(self) -> None:
        """Return no token."""

    def forget(self) -> None:
        """Do nothing: there is none."""


def credentials_of(
    identity: BotIdentity, session: aiohttp.ClientSession, clock: Clock
) -> Credentials:
    """Return what proves who the bot is: nothing, its client secret, or its managed identity."""
    if identity.is_anonymous:
        return Anonymous()

    async def from_secret() -> AccessToken:
        form = {
            "client_id": identity.app_id,
            "client_secret": identity.password.reveal(),
            "scope": f"{identity.oauth_scope}/.default",
        }
        return await client_secret_token(session, identity.authority, form, clock)

    async def from_platform() -> AccessToken:
        managed = ManagedIdentity(
            identity.identity_endpoint, identity.identity_header, identity.app_id
        )
        return await managed_identity_token(session, managed, identity.oauth_scope, clock)

    is_managed = identity.app_type == "UserAssignedMSI"
    return KeptToken(from_platform if is_managed else from_secret, clock)
