"""Forgetting on the real storage emulator: then the ids stand in no table and on no queue."""

import base64
import json
from typing import Any

from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from bot_logic.contract.envelope import POISON_QUEUE_NAME
from tests.functional.app_under_test import AppUnderTest
from tests.functional.azurite_process import Azurite
from tests.functional.test_notifications import notify, reference_of

PERSON = "dl_to_be_forgotten"


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


def _plain(row: Any) -> str:
    return " ".join(
        each.decode() if isinstance(each, bytes) else str(each) for each in row.values()
    )


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        return content


def where(found: dict[str, str], *ids: str) -> set[str]:
    forms = [form for each in ids for form in (each, json.dumps(each)[1:-1])]
    return {name for name, text in found.items() if any(form in text for form in forms)}


async def test_who_is_forgotten_stands_in_no_table_and_on_no_queue(
    app: AppUnderTest, azurite: Azurite
) -> None:
    ada = await app.user(PERSON)
    ids = (PERSON, ada.conversation_id)
    reference = await reference_of(app, ada)
    await app.wiring.conversations.subscribe(reference, "pizza")
    await notify(app, {"channel": "directline"}, text="News")
    await notify(app, [{"user": PERSON}, {"user": "nobody"}], text="For two", at=3600)
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
