"""The SDK's adapter behind aiohttp, as in BotBuilder-Samples: 02.echo-bot's app.py and config.py.

https://github.com/microsoft/BotBuilder-Samples/tree/main/samples/python/02.echo-bot
"""

import os
from collections.abc import Mapping

import requests
from aiohttp import web
from botbuilder.core import Bot
from botbuilder.core.integration import aiohttp_error_middleware
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botframework.connector.auth import (
    MicrosoftAppCredentials,
    PasswordServiceClientCredentialFactory,
)

from benchmarks.serving import Handler

TIMEOUT = 10  # seconds


class Configuration:
    """What the SDK reads; without `MicrosoftAppId` nothing is authenticated."""

    APP_ID = os.environ.get("MicrosoftAppId", "")
    APP_PASSWORD = os.environ.get("MicrosoftAppPassword", "")
    APP_TYPE = "MultiTenant"
    if APP_ID:
        TO_CHANNEL_FROM_BOT_LOGIN_URL = os.environ["ToChannelFromBotLoginUrl"]
        TO_CHANNEL_FROM_BOT_OAUTH_SCOPE = "https://api.botframework.com"
        TO_BOT_FROM_CHANNEL_TOKEN_ISSUER = "https://api.botframework.com"  # noqa: S105 - an issuer
        TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL = os.environ["ToBotFromChannelOpenIdMetadataUrl"]
        TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL = TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL


class LoopbackCredentials(MicrosoftAppCredentials):
    """The SDK's credentials, but for the fetch of the token, which MSAL does over https only.

    MSAL keeps its tokens for as long as the credentials live, and the SDK makes new ones for each
    turn: with a real login server it fetches a token every time. Here it is fetched once and then
    shared by all turns, in the peer's favour.
    """

    _token = ""

    def get_access_token(self, force_refresh: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002
        """Return the token; the SDK calls this on the event loop."""
        if not LoopbackCredentials._token:
            answer = requests.post(
                f"{Configuration.TO_CHANNEL_FROM_BOT_LOGIN_URL}/oauth2/v2.0/token",
                data={
                    "grant_type": "client_credentials",
                    "client_id": self.microsoft_app_id,
                    "client_secret": self.microsoft_app_password,
                    "scope": f"{self.oauth_scope}/.default",
                },
                timeout=TIMEOUT,
            )
            answer.raise_for_status()
            LoopbackCredentials._token = answer.json()["access_token"]
        return LoopbackCredentials._token


class LoopbackCredentialFactory(PasswordServiceClientCredentialFactory):
    """Makes `LoopbackCredentials` where the SDK makes its own."""

    async def create_credentials(
        self,
        app_id: str,
        oauth_scope: str,
        login_endpoint: str,  # noqa: ARG002 - the SDK's signature
        validate_authority: bool,  # noqa: ARG002, FBT001
    ) -> MicrosoftAppCredentials:
        """Make credentials; the SDK calls this once for each client."""
        if not app_id:
            return MicrosoftAppCredentials.empty()
        return LoopbackCredentials(app_id, self.password, self.tenant_id, oauth_scope)


def make_adapter() -> CloudAdapter:
    """Make the SDK's adapter, as the samples do."""
    factory = None
    if Configuration.APP_ID:
        factory = LoopbackCredentialFactory(Configuration.APP_ID, Configuration.APP_PASSWORD)
    return CloudAdapter(
        ConfigurationBotFrameworkAuthentication(Configuration(), credentials_factory=factory)
    )


def messages(adapter: CloudAdapter, bot: Bot) -> Handler:
    """Make the messaging endpoint, as the samples do."""

    async def handle(request: web.Request) -> web.StreamResponse:
        answer: web.StreamResponse = await adapter.process(request, bot)
        return answer

    return handle


def serve(port: int, routes: Mapping[str, Handler]) -> None:
    """Answer POSTs to these paths on loopback until the process ends."""
    app = web.Application(middlewares=[aiohttp_error_middleware])
    for path, handler in routes.items():
        app.router.add_post(path, handler)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)
