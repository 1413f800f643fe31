"""The bot's own access token, from a real token endpoint on loopback."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.bot_endpoint.credentials import AppCredentials
from bot_logic.errors import ServiceUnavailable
from bot_logic.settings import BotIdentity, Secret, Settings


@dataclass
class TokenEndpoint:
    """Answers as Microsoft's login server, or as a managed identity's endpoint."""

    status: int = 200
    lifetime: Any = 3600
    requests: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        identity_header = request.headers.get("X-IDENTITY-HEADER", "")
        self.requests.append(form | dict(request.query) | {"header": identity_header})
        await asyncio.sleep(0.01)
        if self.status != 200:
            return web.json_response({"error": "invalid_client"}, status=self.status)
        body = {"access_token": f"token-{len(self.requests)}", "expires_in": self.lifetime}
        return web.json_response(body)


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint()


@pytest.fixture
async def identity(endpoint: TokenEndpoint) -> AsyncIterator[BotIdentity]:
    app = web.Application()
    app.router.add_post("/tenant/oauth2/v2.0/token", endpoint.answer)
    app.router.add_get("/msi/token", endpoint.answer)
    async with TestServer(app) as server:
        yield Settings.from_environment(
            {
                "AzureWebJobsStorage": "UseDevelopmentStorage=true",
                "DirectLineSecret": "secret",
                "TriggerSigningKey": "k" * 32,
                "MicrosoftAppId": "app-id",
                "MicrosoftAppPassword": "password",
                "MicrosoftAppTenantId": "tenant",
                "ToChannelFromBotLoginUrl": str(server.make_url("/tenant")),
                "IDENTITY_ENDPOINT": str(server.make_url("/msi/token")),
            }
        ).identity


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as it:
        yield it


async def test_many_turns_at_once_fetch_one_token(
    session: aiohttp.ClientSession, identity: BotIdentity, endpoint: TokenEndpoint
) -> None:
    credentials = AppCredentials(session, identity)
    tokens = await asyncio.gather(*(credentials.token() for _ in range(20)))
    assert {token.reveal() for token in tokens} == {"token-1"}
    assert endpoint.requests == [
        {
            "grant_type": "client_credentials",
            "client_id": "app-id",
            "client_secret": "password",
            "scope": "https://api.botframework.com/.default",
            "header": "",
        }
    ]


async def test_a_managed_identity_asks_its_own_endpoint(
    session: aiohttp.ClientSession, identity: BotIdentity, endpoint: TokenEndpoint
) -> None:
    managed = replace(
        identity,
        app_type="UserAssignedMSI",
        identity_endpoint=identity.authority.replace("/tenant", "/msi/token"),
        identity_header=Secret("the-header"),
    )
    endpoint.lifetime = "86400"  # this endpoint writes a string
    assert (await AppCredentials(session, managed).token()).reveal() == "token-1"
    (request,) = endpoint.requests
    assert request["header"] == "the-header"
    assert request["client_id"] == "app-id"
    assert request["resource"] == "https://api.botframework.com"


async def test_a_token_about_to_expire_is_replaced(
    session: aiohttp.ClientSession, identity: BotIdentity, endpoint: TokenEndpoint
) -> None:
    endpoint.lifetime = 0
    credentials = AppCredentials(session, identity)
    assert (await credentials.token()).reveal() == "token-1"
    assert (await credentials.token()).reveal() == "token-2"


async def test_a_login_server_that_is_down_leaves_the_token_at_hand_in_use(
    session: aiohttp.ClientSession, identity: BotIdentity, endpoint: TokenEndpoint
) -> None:
    credentials = AppCredentials(session, identity)
    await credentials.token()
    credentials._refresh_at = 0  # as if the token were about to expire
    endpoint.status = 503
    for _ in range(5):  # only the first asks again
        assert (await credentials.token()).reveal() == "token-1"
    assert len(endpoint.requests) == 2
    credentials._refresh_at = credentials._expires_at = 0  # and as if it had expired
    with pytest.raises(ServiceUnavailable):
        await credentials.token()


@pytest.mark.parametrize(("status", "lifetime"), [(401, 3600), (200, "soon"), (200, None)])
async def test_no_token_is_an_error_without_the_password(
    session: aiohttp.ClientSession,
    identity: BotIdentity,
    endpoint: TokenEndpoint,
    status: int,
    lifetime: Any,
) -> None:
    endpoint.status, endpoint.lifetime = status, lifetime
    with pytest.raises(ServiceUnavailable, match="no access token") as error:
        await AppCredentials(session, identity).token()
    assert "password" not in f"{error.value} {error.value!r}"
