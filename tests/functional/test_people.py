"""Forgetting on the real storage emulator: then the ids stand nowhere in it."""

import base64
import hmac
import json
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from bot_logic.bot_endpoint.got_it import GOT_IT
from bot_logic.contract.envelope import POISON_QUEUE_NAME
from bot_logic.conversations.audiences import digits_for
from local_dev.azurite import ACCOUNT, KEY
from tests.functional.app_under_test import AppUnderTest, ChatUser
from tests.functional.azurite_process import Azurite
from tests.functional.messages import reference_of
from tests.functional.test_notifications import notify
from tests.functional.test_recall import done

PERSON = "dl_to_be_forgotten"


BLOB_SERVICE_VERSION = "2020-12-06"


async def stored(connection: str) -> dict[str, str]:
    """Return all rows and all messages as texts, by their table or queue."""
    found = dict[str, str]()
    async with TableServiceClient.from_connection_string(connection) as tables:
        async for table in tables.list_tables():
            rows = [
                _plain(row) async for row in tables.get_table_client(table.name).list_entities()
            ]
            found[f"table {table.name}"] = "\n".join(rows)
    async with QueueServiceClient.from_connection_string(connection) as queues:
        async for queue in queues.list_queues():
            client = queues.get_queue_client(queue.name)
            peeked = await client.peek_messages(max_messages=32)
            texts = [f"{each.content} {_decoded(each.content)}" for each in peeked]
            found[f"queue {queue.name}"] = "\n".join(texts)
    return found


async def blob_containers(azurite: Azurite) -> str:
    """Return the list of containers: what is in no container is in no blob.

    https://learn.microsoft.com/rest/api/storageservices/list-containers2
    """
    moment, path = formatdate(usegmt=True), f"/{ACCOUNT}/"
    headers = {"x-ms-date": moment, "x-ms-version": BLOB_SERVICE_VERSION}
    signed = "\n".join(f"{name}:{value}" for name, value in headers.items())
    text = "GET" + "\n" * 12 + f"{signed}\n/{ACCOUNT}{path}\ncomp:list"
    digest = hmac.digest(base64.b64decode(KEY), text.encode(), "sha256")
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    url = f"http://127.0.0.1:{azurite.blob_port}{path}?comp=list"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        assert response.status == 200
        return await response.text()


def _plain(row: Any) -> str:
    """Return what a row says, also what it says in several columns of bytes."""
    said = b"".join(each for each in row.values() if isinstance(each, bytes))
    others = (str(each) for each in row.values() if not isinstance(each, bytes))
    return " ".join([*others, said.decode()])


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        return content


def where(found: dict[str, str], *ids: str) -> set[str]:
    forms = [form for each in ids for form in (each, json.dumps(each)[1:-1])]
    return {name for name, text in found.items() if any(form in text for form in forms)}


async def confirmed_edited_and_recalled(app: AppUnderTest, ada: ChatUser) -> None:
    """Let the person get all that a notification can be."""
    notification = await notify(app, {"topic": "pizza"}, text="Drill", acknowledge=True)
    card = (await ada.activities())[-1]["attachments"][-1]["content"]
    data = card["actions"][-1]["data"] | {"verb": GOT_IT}
    await ada.posts({"type": "message", "value": data})
    changes = app.wiring.notifications.changes
    edit = await changes.edit(notification, {"type": "message", "text": "Drill at noon"})
    assert await done(app, edit) == {"state": "done", "edited": 1}
    recall = await changes.recall(notification)
    assert await done(app, recall) == {"state": "done", "recalled": 1}
    found = await app.wiring.notifications.orders.report(notification)
    assert found is not None
    assert found.acknowledged == 1


@pytest.fixture(name="azurite")
def storage_of_nobody_else(tmp_path: Path) -> Iterator[Azurite]:
    """An emulator with nothing in it: what the test does not find, is not there."""
    emulator = Azurite(tmp_path)
    with emulator.running():
        yield emulator


async def test_who_is_forgotten_stands_in_no_table_no_blob_and_on_no_queue(
    app: AppUnderTest, azurite: Azurite
) -> None:
    ada = await app.user(PERSON)
    ids = (PERSON, ada.conversation_id)
    reference = reference_of(ada)
    assert await app.wiring.conversations.subscribe(reference, "pizza")
    await notify(app, {"channel": "directline"}, text="News")
    await notify(app, [{"user": PERSON}, {"user": "nobody"}], text="For two", at=3600)
    await confirmed_edited_and_recalled(app, ada)
    letter = {
        "error": "Refused",
        "reason": "no",
        "message": {"conversation": reference, "text": "x"},
    }
    await app.wiring.storage.queue(POISON_QUEUE_NAME).put(json.dumps(letter))
    before = where(await stored(azurite.connection_string), *ids)
    assert {"table conversations", "table audiences", "table notifications"} <= before
    assert await app.wiring.people.forget_person(PERSON)
    left = where(await stored(azurite.connection_string), *ids)
    assert left <= {f"queue {POISON_QUEUE_NAME}"}
    assert not await app.wiring.people.forget_person(PERSON)
    digits = {each[2:] for each in digits_for(ids[:1], ids[1:], ["directline"])}
    assert where(await stored(azurite.connection_string), *digits) == {"table forgotten"}
    assert "<Container>" not in await blob_containers(azurite)
