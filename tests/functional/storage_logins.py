"""Every way to log in to a storage account, on Azurite."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.storage.queue import Services, generate_account_sas

from bot_logic.access_token import ManagedIdentity
from bot_logic.secret import Secret
from bot_logic.storage.location import SharedAccessSignature, SharedKey, StorageLocation
from local_dev.azurite import ACCOUNT, KEY
from tests.functional.azurite_process import Azurite, SecureAzurite

STORAGE = "https://storage.azure.com"
IDENTITY_HEADER = "an-identity-header-of-the-tests"


def by_key(azurite: Azurite, key: str = KEY) -> StorageLocation:
    return StorageLocation(*_urls(azurite), SharedKey(ACCOUNT, Secret(key)))


def by_signature(azurite: Azurite) -> StorageLocation:
    token = generate_account_sas(
        ACCOUNT,
        KEY,
        resource_types="sco",
        permission="rwdlacup",
        expiry=datetime.now(UTC) + timedelta(hours=1),
        services=Services.from_string("qt"),  # type: ignore[no-untyped-call]
    )
    return StorageLocation(*_urls(azurite), SharedAccessSignature(Secret(token)))


def by_identity(azurite: SecureAzurite, endpoint: str) -> StorageLocation:
    identity = ManagedIdentity(endpoint, Secret(IDENTITY_HEADER), "a-client-id")
    return StorageLocation(azurite.queue_url, azurite.table_url, identity)


def _urls(azurite: Azurite) -> tuple[str, str]:
    base = "http://127.0.0.1"
    return (
        f"{base}:{azurite.queue_port}/{ACCOUNT}",
        f"{base}:{azurite.table_port}/{ACCOUNT}",
    )


@dataclass
class IdentityEndpoint:
    """Plays the platform's managed identity endpoint.

    https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
    """

    url: str = ""
    audience: str = STORAGE
    lifetime: int = 3600
    valid_for: int = 3600
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)

    def token(self) -> str:
        now = int(time.time())
        claims = {
            "aud": self.audience,
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + self.valid_for,
        }
        return jwt.encode(claims, "k" * 32, "HS256")

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["X-IDENTITY-HEADER"] == IDENTITY_HEADER
        self.asked.append(dict(request.query))
        body: dict[str, Any] = {"error": "busy"}
        if self.status == 200:
            expires_on = str(int(time.time()) + self.lifetime)
            body = {"access_token": self.token(), "expires_on": expires_on}
        return web.json_response(body, status=self.status)


@asynccontextmanager
async def identity_endpoint(**how: Any) -> AsyncIterator[IdentityEndpoint]:
    endpoint = IdentityEndpoint(**how)
    app = web.Application()
    app.router.add_get("/msi/token", endpoint.answer)
    async with TestServer(app) as server:
        endpoint.url = str(server.make_url("/msi/token"))
        yield endpoint
