"""The bot's own access token, from a real token endpoint on loopback."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.access_token import (
    REFRESH_BEFORE,
    UNSTATED_LIFETIME,
    ManagedIdentity,
    managed_identity_token,
)
from bot_logic.bot_endpoint.sdk.credentials import Credentials, credentials_of
from bot_logic.bot_identity import BotIdentity
from bot_logic.clock import SYSTEM_CLOCK
from bot_logic.errors import ServiceUnavailable
from bot_logic.secret import Secret
from bot_logic.settings import Settings
from bot_logic.testing import ManualClock


async def token_of(credentials: Credentials) -> str:
    token = await credentials.token()
    assert token is not None
    return token.reveal()


@dataclass
class TokenEndpoint:
    """Answers as Microsoft's login server, or as a managed identity's endpoint."""

    status: int = 200
    lifetime: Any = 3600
    lifetime_field: str = "expires_in"
    token: Any = None
    more: dict[str, Any] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        identity_header = request.headers.get("X-IDENTITY-HEADER", "")
        self.requests.append(form | dict(request.query) | {"header": identity_header})
        await asyncio.sleep(0.01)
        if self.status != 200:
            return web.json_response({"error": "invalid_client"} | self.more, status=self.status)
        token = f"token-{len(self.requests)}" if self.token is None else self.token
        body = {"access_token": token, self.lifetime_field: self.lifetime}
        body |= self.more
        answer = web.json_response(body)
        answer.enable_compression()  # for those who say that they take it
        return answer


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
                "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
                "AzureWebJobsStorage": "UseDevelopmentStorage=true",
                "DirectLineSecret": "secret",
                "TriggerSigningKey": "k" * 32,
                "MicrosoftAppType": "MultiTenant",
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
    credentials = credentials_of(identity, session, SYSTEM_CLOCK)
    tokens = await asyncio.gather(*(token_of(credentials) for _ in range(20)))
    assert set(tokens) == {"token-1"}
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
    assert await token_of(credentials_of(managed, session, SYSTEM_CLOCK)) == "token-1"
    (request,) = endpoint.requests
    assert request["header"] == "the-header"
    assert request["client_id"] == "app-id"
    assert request["resource"] == "https://api.botframework.com"


@pytest.fixture
async def platform(identity: BotIdentity) -> ManagedIdentity:
    """A managed identity whose tokens the endpoint hands out."""
    url = identity.authority.replace("/tenant", "/msi/token")
    return ManagedIdentity(url, Secret("the-header"), "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expires_in", 600),
        ("expires_in", "600"),
        ("expires_on", 1_800_000_600),
        ("expires_on", "1800000600"),
        ("expires_in", 600.0),
        ("expires_on", "1800000600.0"),
        ("expires_on", " 1800000600 "),
    ],
)
async def test_the_platform_says_how_long_a_token_lives_or_until_when(
    session: aiohttp.ClientSession,
    platform: ManagedIdentity,
    endpoint: TokenEndpoint,
    name: str,
    value: Any,
) -> None:
    endpoint.lifetime_field, endpoint.lifetime = name, value
    clock = ManualClock(1_800_000_000)
    token = await managed_identity_token(session, platform, "https://resource/", clock)
    assert (token.secret.reveal(), token.lifetime) == ("token-1", 600)


@pytest.mark.parametrize("expires_in", [None, "", "soon", True, [], {}, "nan", "inf"], ids=repr)
async def test_when_a_token_ends_counts_where_its_lifetime_cannot_be_read(
    session: aiohttp.ClientSession,
    platform: ManagedIdentity,
    endpoint: TokenEndpoint,
    expires_in: Any,
) -> None:
    endpoint.lifetime, endpoint.more = expires_in, {"expires_on": "1800000600"}
    clock = ManualClock(1_800_000_000)
    token = await managed_identity_token(session, platform, "https://resource/", clock)
    assert token.lifetime == 600


@pytest.mark.parametrize("name", ["expires_in", "expires_on", "ext_expires_in"])
@pytest.mark.parametrize(
    "value", [None, "", "06/20/2027 02:57:58 +00:00", "nan", "1e999", [], True]
)
async def test_a_token_that_does_not_say_how_long_it_lives_is_kept_for_a_little(
    session: aiohttp.ClientSession,
    identity: BotIdentity,
    endpoint: TokenEndpoint,
    name: str,
    value: Any,
) -> None:
    endpoint.lifetime_field, endpoint.lifetime = name, value
    clock = ManualClock()
    credentials = credentials_of(identity, session, clock)
    assert [await token_of(credentials) for _ in range(3)] == ["token-1"] * 3
    clock.advance(UNSTATED_LIFETIME)
    assert await token_of(credentials) == "token-2"


@pytest.mark.parametrize("token", ["", 5, [], {}, "two\nlines", "\r", "\x00", "tökén"], ids=repr)
async def test_what_cannot_stand_in_a_header_is_no_token(
    session: aiohttp.ClientSession, identity: BotIdentity, endpoint: TokenEndpoint, token: Any
) -> None:
    endpoint.token = token
    with pytest.raises(ServiceUnavailable, match="no access token"):
        await credentials_of(identity, session, SYSTEM_CLOCK).token()


async def test_the_apps_only_identity_needs_no_name(
    session: aiohttp.ClientSession, platform: ManagedIdentity, endpoint: TokenEndpoint
) -> None:
    await managed_identity_token(session, platform, "https://resource/", SYSTEM_CLOCK)
    assert endpoint.requests == [
        {"api-version": "2019-08-01", "resource": "https://resource/", "header": "the-header"}
    ]


async def test_a_session_that_leaves_answers_compressed_gets_a_plain_one(
    platform: ManagedIdentity,
) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        token = await managed_identity_token(session, platform, "https://x/", SYSTEM_CLOCK)
    assert token.secret.reveal() == "token-1"


async def test_a_token_about_to_expire_is_replaced(
    session: aiohttp.ClientSession, identity: BotIdentity, endpoint: TokenEndpoint
) -> None:
    endpoint.lifetime = 0
    credentials = credentials_of(identity, session, SYSTEM_CLOCK)
    assert await token_of(credentials) == "token-1"
    assert await token_of(credentials) == "token-2"


async def test_a_login_server_that_is_down_leaves_the_token_at_hand_in_use(
    session: aiohttp.ClientSession, identity: BotIdentity, endpoint: TokenEndpoint
) -> None:
    clock = ManualClock()
    credentials = credentials_of(identity, session, clock)
    await credentials.token()
    clock.advance(3600 - REFRESH_BEFORE)
    endpoint.status = 503
    for _ in range(5):  # only the first asks again
        assert await token_of(credentials) == "token-1"
    assert len(endpoint.requests) == 2
    clock.advance(REFRESH_BEFORE)
    with pytest.raises(ServiceUnavailable):
        await credentials.token()


@pytest.mark.parametrize(("status", "token"), [(401, None), (200, [])])
async def test_no_token_is_an_error_without_the_password(
    session: aiohttp.ClientSession,
    identity: BotIdentity,
    endpoint: TokenEndpoint,
    status: int,
    token: Any,
) -> None:
    endpoint.status, endpoint.token = status, token
    with pytest.raises(ServiceUnavailable, match="no access token") as error:
        await credentials_of(identity, session, SYSTEM_CLOCK).token()
    assert "password" not in f"{error.value} {error.value!r}"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([7000215], " AADSTS7000215"),
        ([700016, 90002], " AADSTS700016 AADSTS90002"),
        (["7000215\nforged", True, None, {}], ""),
        ("7000215", ""),
        (None, ""),
    ],
    ids=repr,
)
async def test_entras_own_number_of_an_error_is_said(
    session: aiohttp.ClientSession,
    identity: BotIdentity,
    endpoint: TokenEndpoint,
    numbers: Any,
    said: str,
) -> None:
    endpoint.status, endpoint.more = 401, {"error_codes": numbers}
    with pytest.raises(ServiceUnavailable, match=f"^no access token: 401 invalid_client{said}$"):
        await credentials_of(identity, session, SYSTEM_CLOCK).token()
