"""What becomes of a queue message: the same with Microsoft's listener and with the local host.

A row says what was put; then how often the function was called, with what, and where it ended.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.functional.functions_host_process import Host
from tests.functional.listeners import Call, listening, until

FAILS = json.dumps({"fail": True})
JSON = json.dumps({"text": "Grüße"}, ensure_ascii=False)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Row:
    """What was put, and what becomes of it.

    Attributes:
        seen: the text that the function is called with.
        calls: how often.
        poison: whether it ends on the poison queue, as it was put.
    """

    put: str
    seen: str = ""
    calls: int = 1
    poison: bool = False


BASE64 = {
    "padded": Row(encoded(JSON), JSON),
    "white space within": Row(f" {encoded(JSON)[:9]}\r\n\t{encoded(JSON)[9:]} ", JSON),
    "a byte order mark within": Row(encoded("\ufeffhello"), "\ufeffhello"),
    "NUL within": Row(encoded("a\x00b"), "a\x00b"),
    "of a failing message": Row(encoded(FAILS), FAILS, calls=3, poison=True),
    "plain JSON": Row(JSON, calls=0, poison=True),
    "a plain word": Row("hello", calls=0, poison=True),
    "unpadded": Row(encoded(JSON + " ").rstrip("="), calls=0, poison=True),
    "of the URL alphabet": Row(
        base64.urlsafe_b64encode(b"~~~???>>").decode(), calls=0, poison=True
    ),
    "padded too much": Row(encoded("abc") + "==", calls=0, poison=True),
}
NONE = {
    "plain JSON": Row(JSON, JSON),
    "base64": Row(encoded(JSON), encoded(JSON)),
    "a plain word": Row("hello", "hello"),
    "white space": Row("  \n ", "  \n "),
    "XML": Row("<a>&amp;</a>", "<a>&amp;</a>"),
    "emoji": Row("🍕", "🍕"),
    "a failing message": Row(FAILS, FAILS, calls=3, poison=True),
    "names of the metadata": Row(
        json.dumps({"id": "x", "dequeueCount": 9, "expirationTime": "2030-01-01T00:00:00Z"}),
        json.dumps({"id": "x", "dequeueCount": 9, "expirationTime": "2030-01-01T00:00:00Z"}),
    ),
}
SETTINGS = {"visibilityTimeout": "00:00:00", "maxDequeueCount": 3, "maxPollingInterval": "00:00:01"}


@pytest.mark.parametrize(("encoding", "rows"), [("base64", BASE64), ("none", NONE)])
@pytest.mark.parametrize("kind", ["stand-in", "Microsoft's"])
async def test_each_message_ends_as_its_row_says(
    kind: str, encoding: str, rows: dict[str, Row], host: Host, tmp_path: Path
) -> None:
    ids = {name: host.put(row.put, raw=True) for name, row in rows.items()}
    settings = SETTINGS | {"messageEncoding": encoding}
    async with listening(kind, host, settings, tmp_path) as listener:
        poisoned = sum(row.poison for row in rows.values())
        await until(lambda: host.left() == 0 and host.left("-poison") == poisoned)
        calls = listener.calls()
    found = {name: calls_of(ids[name], calls) for name in rows}
    expected = {
        name: [Call(ids[name], row.seen, number + 1) for number in range(row.calls)]
        for name, row in rows.items()
    }
    assert found == expected
    with host.queue("-poison") as poison:
        kept = sorted(message.content for message in poison.peek_messages(max_messages=32))
    assert kept == sorted(row.put for row in rows.values() if row.poison)


def calls_of(message_id: str, calls: list[Call]) -> list[Call]:
    return sorted(
        (call for call in calls if call.message_id == message_id),
        key=lambda call: call.dequeue_count,
    )


@pytest.mark.parametrize("kind", ["stand-in", "Microsoft's"])
async def test_a_failing_message_on_a_poison_queue_stays_there(
    kind: str, host: Host, tmp_path: Path
) -> None:
    host.values["WorkQueue"] = host.queue_name = f"{host.queue_name}-poison"
    host.create_queue()
    host.put(FAILS)
    async with listening(kind, host, SETTINGS, tmp_path) as listener:
        await until(lambda: len(listener.calls()) == 1)
        await until(lambda: not visible(host))
    assert (host.left(), host.left("-poison")) == (1, 0)


def visible(host: Host) -> bool:
    with host.queue() as queue:
        return bool(queue.peek_messages())
