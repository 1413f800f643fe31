"""Signed requests: what is signed, what is tried again, and what an error gives away."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AzureNamedKeyCredential
from azure.data import tables
from azure.storage.queue import Services, generate_account_sas

from bot_logic import storage_requests
from bot_logic.errors import MessageNotInserted, ServiceUnavailable
from bot_logic.settings import Secret, connection_parts
from bot_logic.storage_queue import StorageQueue
from bot_logic.storage_requests import (
    NoAnswer,
    Request,
    StorageRequests,
    queue_text,
    table_text,
)
from bot_logic.table import Table
from local_dev.azurite import ACCOUNT, KEY
from tests.functional.app_under_test import NOWHERE
from tests.functional.conftest import Azurite

BY_KEY = f"AccountName={ACCOUNT};AccountKey={KEY}"
BY_SIGNATURE = "SharedAccessSignature=?sv=2020&sig=c2VjcmV0"
PUT = Request("PUT", "application/json", b"{}", path="(x)", query="a=b")


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


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_requests, "RETRY_PAUSE", 0)


async def _ask(
    session: aiohttp.ClientSession, service: Service, connection: str
) -> storage_requests.Answer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    server = TestServer(app)
    async with server:
        url = f"{server.make_url('/t')}?sig=ignored"
        return await StorageRequests(session, Secret(connection), url, table_text).send(PUT)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_once_more(
    session: aiohttp.ClientSession, status: int
) -> None:
    service = Service([status, 204])
    assert (await _ask(session, service, BY_KEY)).fine
    assert len(service.requests) == 2


async def test_after_that_the_service_has_the_last_word(session: aiohttp.ClientSession) -> None:
    answer = await _ask(session, Service([503, 503]), BY_KEY)
    assert not answer.fine
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
    requests = StorageRequests(session, Secret(BY_SIGNATURE), "http://127.0.0.1:1/t", table_text)
    with pytest.raises(NoAnswer) as caught:
        await requests.send(PUT)
    assert str(caught.value) == "ClientConnectorError"
    assert caught.value.__suppress_context__


def test_a_queue_request_is_signed_as_the_documentation_has_it() -> None:
    request = Request("PUT", "text/plain; charset=UTF-8", b"")
    assert queue_text(request, "Sun, 20 Sep 2009 20:36:40 GMT", "/testaccount1/q/messages") == (
        "PUT\n\ntext/plain; charset=UTF-8\n\n"
        "x-ms-date:Sun, 20 Sep 2009 20:36:40 GMT\nx-ms-version:2019-02-02\n"
        "/testaccount1/q/messages"
    )


def test_a_table_request_is_signed_as_the_documentation_has_it() -> None:
    text = table_text(PUT, "Sun, 11 Oct 2009 19:52:39 GMT", "/testaccount1/Tables")
    assert text == "Sun, 11 Oct 2009 19:52:39 GMT\n/testaccount1/Tables"


async def test_storage_refuses_another_key(azurite: Azurite) -> None:
    wrong = Secret(azurite.connection_string.replace(KEY, KEY.swapcase()))
    queue, table = StorageQueue(wrong, "bot-queue"), Table(wrong, "tabletest")
    with pytest.raises(MessageNotInserted, match="Auth"):
        await queue.put("{}")
    with pytest.raises(ServiceUnavailable, match="Auth"):
        await table.put("key", {"data": "1"})
    await queue.close()
    await table.close()


async def test_a_queue_takes_a_shared_access_signature(azurite: Azurite) -> None:
    signature = generate_account_sas(
        ACCOUNT,
        KEY,
        "sco",  # service, container, object
        "rwacup",
        datetime.now(UTC) + timedelta(hours=1),
        services=Services(queue=True),
    )
    queue = StorageQueue(_signed(azurite, signature), "signed-queue")
    await queue.put("{}")
    await queue.close()


async def test_a_table_takes_a_shared_access_signature(azurite: Azurite) -> None:
    signature = tables.generate_account_sas(
        AzureNamedKeyCredential(ACCOUNT, KEY),
        tables.ResourceTypes(service=True, object=True),
        "rwau",
        datetime.now(UTC) + timedelta(hours=1),
    )
    owner = Table(Secret(azurite.connection_string), "signedtable")
    await owner.create()
    await owner.close()
    table = Table(_signed(azurite, signature), "signedtable")
    first = await table.insert("key", {"data": "1"})
    assert await table.replace("key", {"data": "2"}, first) != first
    await table.close()


def _signed(azurite: Azurite, signature: str) -> Secret:
    parts = connection_parts(azurite.connection_string)
    endpoints = f"QueueEndpoint={parts['queueendpoint']};TableEndpoint={parts['tableendpoint']}"
    return Secret(f"{endpoints};SharedAccessSignature={signature}")


async def test_storage_out_of_reach_is_named_and_not_where_it_should_be() -> None:
    queue = StorageQueue(Secret(NOWHERE), "bot-queue")
    with pytest.raises(MessageNotInserted) as caught:
        await queue.put("{}")
    assert str(caught.value) == "bot-queue: ClientConnectorError"
    await queue.close()
