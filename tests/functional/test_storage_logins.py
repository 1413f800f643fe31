"""Logging in to a storage account: tokens are renewed, refusals are named, nothing is shown."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.errors import MessageNotInserted, ProactiveBotError, QueueNotCreated
from bot_logic.secret import Secret
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.location import SharedKey, StorageLocation
from bot_logic.storage.protocols import Key
from local_dev.azurite import ACCOUNT, KEY
from tests.functional.azurite_process import Azurite, SecureAzurite
from tests.functional.storage_logins import (
    IDENTITY_HEADER,
    IdentityEndpoint,
    by_identity,
    by_key,
    identity_endpoint,
)

NOT_LET_IN = r"was the key rotated|or the key is wrong"
# azure-storage-queue's own, while it reads an error's body
pytestmark = pytest.mark.filterwarnings("ignore:Testing an element's truth value")


@asynccontextmanager
async def account_by_identity(
    azurite: SecureAzurite, **how: Any
) -> AsyncIterator[tuple[StorageAccount, IdentityEndpoint]]:
    async with identity_endpoint(**how) as endpoint:
        account = StorageAccount(by_identity(azurite, endpoint.url), trust=azurite.trust)
        try:
            yield account, endpoint
        finally:
            await account.close()


async def test_all_that_is_in_an_account_shares_one_token(secure_azurite: SecureAzurite) -> None:
    async with account_by_identity(secure_azurite) as (account, endpoint):
        await account.queue("shared-token").put("x")
        await account.table("sharedtoken").put(Key("p", "r"), {})
        await account.table("sharedtoken").read(Key("p", "r"))
        await account.queue("shared-token").check()
    assert endpoint.asked == [
        {
            "api-version": "2019-08-01",
            "resource": "https://storage.azure.com/",
            "client_id": "a-client-id",
        }
    ]


async def test_a_token_that_is_refused_is_fetched_anew(secure_azurite: SecureAzurite) -> None:
    async with account_by_identity(secure_azurite, valid_for=-5) as (account, endpoint):
        queue = account.queue("expired-token")
        with pytest.raises((MessageNotInserted, QueueNotCreated)):
            await queue.put("x")
        endpoint.valid_for = 3600
        await queue.put("x")
    assert len(endpoint.asked) >= 2


async def test_a_token_is_renewed_before_it_runs_out(secure_azurite: SecureAzurite) -> None:
    async with account_by_identity(secure_azurite, lifetime=0) as (account, endpoint):
        await account.queue("short-token").put("x")
        await account.queue("short-token").put("x")
    assert len(endpoint.asked) >= 2


async def test_a_token_for_somebody_else_is_refused(secure_azurite: SecureAzurite) -> None:
    async with account_by_identity(secure_azurite, audience="https://vault.azure.net") as (
        account,
        _,
    ):
        with pytest.raises(ProactiveBotError, match="the key, signature or identity is not"):
            await account.queue("other-audience").put("x")
        with pytest.raises(ProactiveBotError, match="the key, signature or identity is not"):
            await account.table("otheraudience").put(Key("p", "r"), {})
        with pytest.raises(ProactiveBotError, match="the key, signature or identity is not"):
            await account.table("otheraudience").read(Key("p", "r"))


async def test_an_identity_endpoint_that_is_down_is_a_retryable_error(
    secure_azurite: SecureAzurite,
) -> None:
    async with account_by_identity(secure_azurite, status=500) as (account, endpoint):
        with pytest.raises(MessageNotInserted, match="no access token: 500 busy"):
            await account.queue("no-token").put("x")
        with pytest.raises(ProactiveBotError, match="table notoken: no access token"):
            await account.table("notoken").read(Key("p", "r"))
        endpoint.status = 200
        await account.queue("no-token").put("x")


async def test_a_key_that_was_rotated_is_named_as_that(azurite: Azurite) -> None:
    rotated = KEY.replace("Eby8", "AAAA")
    account = StorageAccount(by_key(azurite, rotated))
    for call in (
        account.queue("rotated").put("x"),
        account.queue("rotated").check(),
        account.table("rotated").put(Key("p", "r"), {}),
        account.table("rotated").read(Key("p", "r")),
        account.table("rotated").check(),
    ):
        with pytest.raises(
            ProactiveBotError, match=r"was the key rotated|or the key is wrong"
        ) as caught:
            await call
        assert rotated not in str(caught.value)
    await account.close()


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("AccountIsDisabled", "the storage account is disabled"),
        ("QueueBeingDeleted", "the queue is being deleted"),
        ("TableBeingDeleted", "the table is being deleted"),
        ("AuthorizationPermissionMismatch", "lacks the right"),
        ("KeyBasedAuthenticationNotPermitted", "identities only"),
    ],
)
async def test_what_an_account_refuses_is_named(code: str, meaning: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        body = json.dumps({"odata.error": {"code": code}})
        return web.Response(status=409, headers={"x-ms-error-code": code}, text=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with TestServer(app) as server:
        url = str(server.make_url("/x"))
        account = StorageAccount(StorageLocation(url, url, SharedKey(ACCOUNT, Secret(KEY))))
        for call in (
            account.queue("q").put("x"),
            account.table("t").put(Key("p", "r"), {}),
            account.table("t").insert(Key("p", "r"), {}),
        ):
            with pytest.raises(ProactiveBotError, match=meaning):
                await call
        await account.close()


def test_no_login_shows_its_secrets(secure_azurite: SecureAzurite, azurite: Azurite) -> None:
    shown = f"{by_identity(secure_azurite, 'http://127.0.0.1/msi')!r} {by_key(azurite)!r}"
    assert IDENTITY_HEADER not in shown
    assert KEY not in shown
