"""Dead letters over HTTP: listed without what was said, shown, replayed and purged."""

import json
from typing import Any

from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.storage.memory import MemoryQueue
from tests.unit.test_notifications_api import Client, client

__all__ = ["client"]  # the fixture

MESSAGE = {
    "id": "order/1 of ☕",
    "conversation": {
        "channelId": "test",
        "serviceUrl": "http://localhost",
        "conversation": {"id": "c1"},
    },
    "text": "a secret",
}


async def dead_letter(client: Client, message: Any) -> None:
    queue = client.wiring.storage.queue(POISON_QUEUE_NAME)
    assert isinstance(queue, MemoryQueue)
    await queue.put(json.dumps({"error": "Refused", "reason": "no", "message": message}))
    (letter,) = queue.receive()
    await client.wiring.delivery.dead_letters.file(letter)
    queue.delete(letter)


async def the_only_one(client: Client) -> Any:
    _, listed = await client.call("GET", "dead-letters")
    (found,) = listed["deadLetters"]
    return found


async def test_a_dead_letter_is_listed_without_what_was_said_and_shown_with_it(
    client: Client,
) -> None:
    await dead_letter(client, MESSAGE)
    found = await the_only_one(client)
    assert (found["messageId"], found["error"], found["reason"]) == (MESSAGE["id"], "Refused", "no")
    assert found["missed"] == "test c1"
    assert "secret" not in json.dumps(found)
    status, shown = await client.call("GET", f"dead-letters/{found['id']}")
    assert (status, shown["message"]["text"]) == (200, "a secret")


async def test_a_replayed_one_is_on_the_queue_again_and_gone_from_the_list(client: Client) -> None:
    await dead_letter(client, MESSAGE)
    path = f"dead-letters/{(await the_only_one(client))['id']}"
    status, answer = await client.call("POST", f"{path}/replay")
    assert (status, answer["state"]) == (200, "queued")
    queue = client.wiring.storage.queue(QUEUE_NAME)
    assert isinstance(queue, MemoryQueue)
    assert len(queue.texts) == 1
    assert (await client.call("POST", f"{path}/replay"))[0] == 404
    assert (await client.call("GET", "dead-letters"))[1] == {"deadLetters": []}


async def test_what_would_only_come_back_is_refused_and_stays(client: Client) -> None:
    await dead_letter(client, {"id": "m1", "text": "to nobody"})
    path = f"dead-letters/{(await the_only_one(client))['id']}"
    status, refused = await client.call("POST", f"{path}/replay")
    assert (status, refused["error"]["code"]) == (409, "CannotBeReplayed")
    assert (await client.call("GET", path))[0] == 200


async def test_a_purged_one_is_gone(client: Client) -> None:
    await dead_letter(client, MESSAGE)
    path = f"dead-letters/{(await the_only_one(client))['id']}"
    assert await client.call("DELETE", path) == (204, "")
    for method in ("GET", "DELETE"):
        assert (await client.call(method, path))[0] == 404
    assert (await client.call("GET", "dead-letters/..%2Fx"))[0] == 404


async def test_many_are_listed_page_by_page(client: Client) -> None:
    for number in range(101):
        await dead_letter(client, {**MESSAGE, "id": f"m{number}"})
    _, first = await client.call("GET", "dead-letters")
    _, rest = await client.call("GET", f"dead-letters?after={first['after']}")
    found = {each["messageId"] for page in (first, rest) for each in page["deadLetters"]}
    assert (len(first["deadLetters"]), len(found), "after" in rest) == (100, 101, False)
    assert (await client.call("GET", "dead-letters?after=abc"))[0] == 400


async def test_a_replay_wants_the_content_type_that_no_foreign_page_can_send(
    client: Client,
) -> None:
    await dead_letter(client, MESSAGE)
    path = f"dead-letters/{(await the_only_one(client))['id']}/replay"
    assert (await client.call("POST", path, Content_Type="text/plain"))[0] == 415
