"""The SDK's adapter behind aiohttp, as in BotBuilder-Samples: 02.echo-bot's app.py and config.py.

https://github.com/microsoft/BotBuilder-Samples/tree/main/samples/python/02.echo-bot
"""

import os
from functools import cache

import requests
from aiohttp import web
from botbuilder.core import Bot
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botframework.connector.auth import MicrosoftAppCredentials

from benchmarks.serving import Handler

TIMEOUT = 10  # seconds


class Configuration:
    """What the SDK reads; without `MicrosoftAppId` nothing is authenticated."""

    APP_ID = os.environ["MicrosoftAppId"]
    APP_PASSWORD = os.environ.get("MicrosoftAppPassword", "")
    APP_TYPE = "MultiTenant"
    if APP_ID:
        TO_CHANNEL_FROM_BOT_LOGIN_URL = os.environ["ToChannelFromBotLoginUrl"]
        TO_CHANNEL_FROM_BOT_OAUTH_SCOPE = "https://api.botframework.com"
        TO_BOT_FROM_CHANNEL_TOKEN_ISSUER = "https://api.botframework.com"  # noqa: S105 - an issuer
        TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL = os.environ["ToBotFromChannelOpenIdMetadataUrl"]
        TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL = TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL


@cache
def fetched_token() -> str:
    """Return the bot's access token."""
    url = f"{Configuration.TO_CHANNEL_FROM_BOT_LOGIN_URL}/oauth2/v2.0/token"
    answer = requests.post(url, data={"grant_type": "client_credentials"}, timeout=TIMEOUT)
    return str(answer.json()["access_token"])


def make_adapter() -> CloudAdapter:
    """Make the SDK's adapter, as the samples do, but for the fetch of the bot's access token.

    MSAL fetches it over https only, and keeps it for as long as the credentials live, while the SDK
    makes new ones for each turn: with a real login server it fetches a token every time. Here it is
    fetched once and then shared by all turns, in the peer's favour.
    """
    MicrosoftAppCredentials.get_access_token = lambda *_: fetched_token()
    return CloudAdapter(ConfigurationBotFrameworkAuthentication(Configuration()))


def messages(adapter: CloudAdapter, bot: Bot) -> Handler:
    """Make the messaging endpoint, as the samples do."""

    async def handle(request: web.Request) -> web.StreamResponse:
        answer: web.StreamResponse = await adapter.process(request, bot)
        return answer

    return handle
