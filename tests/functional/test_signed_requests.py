"""Signed requests: what is signed, what is tried again, and what an error gives away."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AzureNamedKeyCredential
from azure.data import tables
from azure.storage.queue import Services, generate_account_sas

from bot_logic.access_token import AccessToken, KeptToken
from bot_logic.clock import SYSTEM_CLOCK
from bot_logic.errors import MessageNotInserted, ServiceUnavailable
from bot_logic.secret import Secret
from bot_logic.settings import storage_location
from bot_logic.storage.access import Access
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.authorisation import Authorisation, TokenAuthorisation, authorisation
from bot_logic.storage.location import (
    Login,
    SharedAccessSignature,
    SharedKey,
)
from bot_logic.storage.protocols import Key
from bot_logic.storage.signed_requests import (
    API_VERSION,
    Answer,
    NoAnswer,
    Request,
    SignedRequests,
    queue_text,
    table_text,
)
from local_dev.azurite import ACCOUNT, KEY
from tests.functional.app_under_test import NOWHERE
from tests.functional.azurite_process import Azurite

BY_KEY = SharedKey(ACCOUNT, Secret(KEY))
BY_SIGNATURE = SharedAccessSignature(Secret("sv=2020&sig=c2VjcmV0"))
PUT = Request("PUT", "application/json", b"{}", path="(x)", query="a=b")
ROW = Key("partition", "row")


class NoPause:
    """Chance, when it has nobody wait."""

    def fraction(self) -> float:
        return 0

    def new_id(self) -> str:
        return "0" * 32


@dataclass
class Service:
    """Answers with these statuses, one after the other, and remembers what it was asked."""

    statuses: Sequence[int]
    requests: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        status = self.statuses[len(self.requests) - 1]
        return web.json_response({"odata.error": {"code": f"Word{status}"}}, status=status)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def _ask(session: aiohttp.ClientSession, service: Service, login: Login) -> Answer:
    return await _ask_with(session, service, authorisation(login, session, SYSTEM_CLOCK))


async def _ask_with(
    session: aiohttp.ClientSession, service: Service, proof: Authorisation
) -> Answer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    async with TestServer(app) as server:
        access, url = Access(session, proof, NoPause()), str(server.make_url("/t"))
        return await SignedRequests(access, url, table_text).send(PUT)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_once_more(
    session: aiohttp.ClientSession, status: int
) -> None:
    service = Service([status, 204])
    assert (await _ask(session, service, BY_KEY)).ok
    assert len(service.requests) == 2


async def test_after_that_the_service_has_the_last_word(session: aiohttp.ClientSession) -> None:
    answer = await _ask(session, Service([503, 503]), BY_KEY)
    assert not answer.ok
    assert answer.reason == "Word503"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412])
async def test_a_refusal_is_not_tried_again(session: aiohttp.ClientSession, status: int) -> None:
    service = Service([status])
    assert (await _ask(session, service, BY_KEY)).code == f"Word{status}"
    assert len(service.requests) == 1


async def test_a_key_signs_and_is_not_sent(session: aiohttp.ClientSession) -> None:
    service = Service([204])
    await _ask(session, service, BY_KEY)
    (request,) = service.requests
    assert request.headers["Authorization"].startswith(f"SharedKeyLite {ACCOUNT}:")
    assert KEY not in f"{request.url}{request.headers}"
    assert str(request.rel_url) == "/t(x)?a=b"


async def test_a_shared_access_signature_is_sent_and_nothing_else_signs(
    session: aiohttp.ClientSession,
) -> None:
    service = Service([204])
    await _ask(session, service, BY_SIGNATURE)
    (request,) = service.requests
    assert "Authorization" not in request.headers
    assert str(request.rel_url) == "/t(x)?a=b&sv=2020&sig=c2VjcmV0"


async def test_an_error_names_neither_address_nor_signature(session: aiohttp.ClientSession) -> None:
    access = Access(session, authorisation(BY_SIGNATURE, session, SYSTEM_CLOCK), NoPause())
    requests = SignedRequests(access, "http://127.0.0.1:1/t", table_text)
    with pytest.raises(NoAnswer) as caught:
        await requests.send(PUT)
    assert str(caught.value) == "ClientConnectorError"
    assert caught.value.__suppress_context__


def test_a_queue_request_is_signed_as_the_documentation_has_it() -> None:
    request = Request("PUT", "text/plain; charset=UTF-8", b"")
    assert queue_text(request, "Sun, 20 Sep 2009 20:36:40 GMT", "/testaccount1/q/messages") == (
        "PUT\n\ntext/plain; charset=UTF-8\n\n"
        f"x-ms-date:Sun, 20 Sep 2009 20:36:40 GMT\nx-ms-version:{API_VERSION}\n"
        "/testaccount1/q/messages"
    )


def test_a_table_request_is_signed_as_the_documentation_has_it() -> None:
    text = table_text(PUT, "Sun, 11 Oct 2009 19:52:39 GMT", "/testaccount1/Tables")
    assert text == "Sun, 11 Oct 2009 19:52:39 GMT\n/testaccount1/Tables"


class Issuer:
    """Hands out token-1, token-2 and so on, or none."""

    def __init__(self) -> None:
        self.times, self.is_down = 0, False

    async def __call__(self) -> AccessToken:
        self.times += 1
        if self.is_down:
            raise ServiceUnavailable("no access token: 503")
        return AccessToken(Secret(f"token-{self.times}"), 3600)


async def test_a_token_that_is_refused_is_replaced_at_once(session: aiohttp.ClientSession) -> None:
    service, issuer = Service([401, 204]), Issuer()
    proof = TokenAuthorisation(KeptToken(issuer, SYSTEM_CLOCK), SYSTEM_CLOCK)
    assert (await _ask_with(session, service, proof)).ok
    shown = [request.headers["Authorization"] for request in service.requests]
    assert shown == ["Bearer token-1", "Bearer token-2"]


async def test_a_second_token_that_is_refused_is_the_last_word(
    session: aiohttp.ClientSession,
) -> None:
    proof = TokenAuthorisation(KeptToken(Issuer(), SYSTEM_CLOCK), SYSTEM_CLOCK)
    answer = await _ask_with(session, Service([401, 401]), proof)
    assert (answer.ok, answer.code) == (False, "Word401")


async def test_without_a_token_nothing_is_sent(session: aiohttp.ClientSession) -> None:
    service, issuer = Service([]), Issuer()
    issuer.is_down = True
    proof = TokenAuthorisation(KeptToken(issuer, SYSTEM_CLOCK), SYSTEM_CLOCK)
    with pytest.raises(NoAnswer, match="no access token"):
        await _ask_with(session, service, proof)
    assert service.requests == []


@asynccontextmanager
async def _account(azurite: Azurite, login: Login | None = None) -> AsyncIterator[StorageAccount]:
    """Azurite's account, for whom has this login."""
    location = storage_location({"AzureWebJobsStorage": azurite.connection_string})
    if login is not None:
        location = replace(location, login=login)
    account = StorageAccount(location, chance=NoPause())
    yield account
    await account.close()


async def test_storage_refuses_another_key(azurite: Azurite) -> None:
    async with _account(azurite, SharedKey(ACCOUNT, Secret(KEY.swapcase()))) as account:
        with pytest.raises(MessageNotInserted, match="Auth"):
            await account.queue("bot-queue").put("{}")
        with pytest.raises(ServiceUnavailable, match="Auth"):
            await account.table("tabletest").put(ROW, {"data": "1"})


async def test_a_queue_takes_a_shared_access_signature(azurite: Azurite) -> None:
    signature = generate_account_sas(
        ACCOUNT,
        KEY,
        "sco",  # service, container, object
        "rwacup",
        datetime.now(UTC) + timedelta(hours=1),
        services=Services(queue=True),
    )
    async with _account(azurite, SharedAccessSignature(Secret(signature))) as account:
        await account.queue("signed-queue").put("{}")


async def test_a_table_takes_a_shared_access_signature(azurite: Azurite) -> None:
    signature = tables.generate_account_sas(
        AzureNamedKeyCredential(ACCOUNT, KEY),
        tables.ResourceTypes(service=True, object=True),
        "rwau",
        datetime.now(UTC) + timedelta(hours=1),
    )
    async with _account(azurite) as owner:
        await owner.table("signedtable").create()
    async with _account(azurite, SharedAccessSignature(Secret(signature))) as account:
        table = account.table("signedtable")
        await table.put(ROW, {"data": "0"})
        row = Key("partition", datetime.now(UTC).isoformat())
        first = await table.insert(row, {"data": "1"})
        assert await table.replace(row, {"data": "2"}, first) != first


async def test_storage_out_of_reach_is_named_and_not_where_it_should_be() -> None:
    location = storage_location({"AzureWebJobsStorage": NOWHERE})
    account = StorageAccount(location, chance=NoPause())
    with pytest.raises(MessageNotInserted) as caught:
        await account.queue("bot-queue").put("{}")
    assert str(caught.value) == "bot-queue: ClientConnectorError"
    await account.close()
