"""Every text that a producer can put ends somewhere, behind Microsoft's listener and worker."""

import asyncio
import base64
import json
from typing import Any

from bot_logic.contract.dead_letter import HOST_GAVE_UP, MAX_WORDS
from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from tests.expected import proactive
from tests.functional.app_under_test import AppUnderTest
from tests.functional.azurite_process import Azurite
from tests.functional.messages import old_messages, plain_message
from tests.functional.real_listener import in_their_worker, listening, put_as_csharp

PATIENCE = 40  # seconds; the listener takes up to 4 to look again

LONGEST = "x!" * 32_768
FOREIGN = json.dumps({"error": "foreign", "reason": "r" * 40_000, "message": {}})
CSHARP = ("v11", "v12", "v12-base64")
NAMES = ("expirationTime", "insertionTime", "nextVisibleTime", "dequeueCount", "popReceipt")
VALUES = ("never", "2030-01-01T00:00:00Z", 7, {"a": 1})


def colliding() -> list[dict[str, Any]]:
    """Fields that the host reads for itself if it is let."""
    return [
        {spelling: value}
        for name in NAMES
        for spelling in (name, name[0].upper() + name[1:], name.lower())
        for value in VALUES
    ]


def forms(document: str) -> list[str]:
    """The same document, as producers write it."""
    encoded = base64.b64encode(document.encode()).decode()
    return [
        document,
        "\ufeff" + document,
        json.dumps(json.loads(document), indent=2),
        encoded,
        encoded.rstrip("="),
        "\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76)),
        base64.urlsafe_b64encode(document.encode()).decode(),
        base64.b64encode(("\ufeff" + document).encode()).decode(),
        "\ufeff" + encoded + "==",
        " \t".join(encoded),
        base64.b64encode(encoded.encode()).decode(),
    ]


def nonsense(document: str) -> list[str]:
    """Texts that are no message of ours."""
    return [
        "hello",
        "",
        "{not json}",
        "[1, 2]",
        "null",
        "1234",
        "{}",
        base64.b64encode(b"\xff\xfe\x00").decode(),
        base64.b64encode("{}".encode("utf-16")).decode(),
        "x" * 48_000,
        LONGEST,
        document[:-1] + ',"data":' + '{"a":' * 200 + "1" + "}" * 201,
        document[:-1] + ',"data":{"a":1e400}}',
    ]


async def test_every_message_is_delivered_or_filed_whatever_it_is(
    app: AppUnderTest, azurite: Azurite
) -> None:
    ada = await app.user()
    document = plain_message(ada).decode()
    old = old_messages(ada)
    good = [*forms(document), *(json.dumps(each) for each in old.values())]
    good += [json.dumps(old["C# v2"] | each) for each in colliding()]  # which took any field
    bad = [json.dumps(json.loads(document) | each) for each in colliding()] + nonsense(document)
    await app.put_raw(app.queue, good + bad)
    await app.put_raw(app.poison_queue, [FOREIGN, "neither", document])
    for client in CSHARP:
        await put_as_csharp(client, azurite.connection_string, QUEUE_NAME, document)

    queues = (QUEUE_NAME, POISON_QUEUE_NAME)
    async with (
        in_their_worker(app.environ) as callback,
        listening(azurite.connection_string, queues, callback) as listener,
        asyncio.timeout(PATIENCE),
    ):
        while await app.waiting() + await app.waiting_as_poison():  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.5)
    events = [json.loads(line) for line in listener.printed.splitlines()]
    assert {each["event"] for each in events} == {"started", "invoked", "succeeded", "stopped"}
    assert {each.get("dequeueCount", 1) for each in events} == {1}  # each at first sight
    heard = [each["text"] for each in await ada.activities() if "text" in each]
    assert heard.count(await proactive("hello")) == len(good) + len(CSHARP)
    filed = [each.dead_letter for each in await app.filed()]
    assert len(filed) == len(bad) + 3
    assert {each.error for each in filed} == {"UndecodableMessage", "foreign", HOST_GAVE_UP}
    assert max(len(each.reason) for each in filed) <= MAX_WORDS
    assert {"x" * 48_000, LONGEST} <= {str(each.message) for each in filed}
