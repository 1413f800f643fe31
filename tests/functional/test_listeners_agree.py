"""The local Functions host treats each text as Microsoft's own queue listener does."""

import asyncio
import base64
import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError

from local_dev.ports import free_ports
from tests.functional.azurite_process import Azurite
from tests.functional.functions_host_process import Host, eventually
from tests.functional.real_listener import in_this_process, listening

PATIENCE = 40  # seconds; the real one takes up to 4 to look again

TEXTS = [
    "hello",
    "{}",
    "",
    "\u00e4",
    "aGVsbG8=",
    " aGVs bG8=\n",
    "\taGVs\r\nbG8 =",
    "aGVs\u00a0bG8=",
    "aGVsbG8",
    "aGVsbG8==",
    "aGVsbG8=aGVsbG8=",
    "=",
    "w6TDpMOk",
    "77u/YQ==",
    "AAAA",
    "-_-_",
    base64.b64encode("\u00e4\U0001f355?>".encode()).decode(),
    base64.urlsafe_b64encode("\u00e4\U0001f355?>".encode()).decode(),
    base64.b64encode("utf-16".encode("utf-16")).decode(),
    base64.b64encode(b"\xe4 in Latin-1").decode(),
]

Outcome = tuple[Counter[str], Counter[str]]  # what functions saw, and what is on the poison queue


def put_all(host: Host) -> None:
    for text in TEXTS:
        host.put(text, raw=True)


def on_poison_queue(host: Host) -> Counter[str]:
    with host.queue("-poison") as queue:
        with contextlib.suppress(ResourceExistsError):
            queue.create_queue()
        return Counter(str(each.content) for each in queue.peek_messages(max_messages=32))


def of_the_stand_in(host: Host) -> Outcome:
    put_all(host)
    host.start()
    eventually(lambda: host.left() == 0, PATIENCE)
    return Counter(each["body"] for each in host.started()), on_poison_queue(host)


async def of_the_real_one(host: Host) -> Outcome:
    seen: Counter[str] = Counter()

    async def function(message: Any) -> None:
        seen[message.get_body().decode()] += 1

    await asyncio.to_thread(put_all, host)
    async with (
        in_this_process({host.queue_name: function}) as callback,
        listening(host.connection_string, [host.queue_name], callback, host.app_dir / "host.json"),
        asyncio.timeout(PATIENCE),
    ):
        while await asyncio.to_thread(host.left):  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.2)
    return seen, await asyncio.to_thread(on_poison_queue, host)


@pytest.mark.parametrize(
    ("encoding", "data_type"), [("base64", "STRING"), ("none", "STRING"), ("none", "BINARY")]
)
async def test_each_text_is_delivered_or_poisoned_by_both_alike(
    azurite: Azurite, tmp_path: Path, encoding: str, data_type: str
) -> None:
    def host(name: str) -> Host:
        it = Host(azurite, tmp_path / name, free_ports(1)[0])
        it.create_queue()
        it.values["WorkDataType"] = data_type
        it.change_queue_settings(messageEncoding=encoding, visibilityTimeout="00:00:00")
        return it

    stand_in, real = host("stand-in"), host("real")
    try:
        ours = await asyncio.to_thread(of_the_stand_in, stand_in)
    finally:
        stand_in.kill()
    assert ours == await of_the_real_one(real)
