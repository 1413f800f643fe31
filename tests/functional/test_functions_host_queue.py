"""The local Functions host's queue triggers, on a real Azurite."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from local_dev.ports import free_ports
from tests.functional.functions_host_process import Host, eventually


def test_a_message_arrives_with_its_properties_and_is_deleted(host: Host) -> None:
    host.start()
    message_id = host.put("hellö")
    [record] = eventually(host.started)
    assert (record["id"], record["body"], record["dequeue_count"]) == (message_id, "hellö", 1)
    assert record["pop_receipt"]
    inserted, visible, expires = record["times"]
    assert inserted < visible < expires
    eventually(lambda: host.left() == 0)
    eventually(lambda: f"work succeeded id={message_id} dequeue=1" in host.log())
    assert "hellö" not in host.log()


def test_a_json_body_overwrites_the_properties_as_in_the_real_host(host: Host) -> None:
    host.start()
    host.put({"id": "from the body"})
    assert eventually(host.started)[0]["id"] == "from the body"


def test_a_queue_may_be_created_later(azurite: Any, tmp_path: Path) -> None:
    host = Host(azurite, tmp_path, free_ports(1)[0])
    try:
        host.start()
        host.create_queue()
        host.put("first")
        eventually(host.started)
        assert "WARNING" not in host.log()
    finally:
        host.kill()


def test_a_failing_message_comes_back_after_the_visibility_timeout(host: Host) -> None:
    host.start()
    host.put({"fail": True})
    first, second = eventually(lambda: host.started()[:2] if len(host.started()) > 1 else [])
    assert (first["dequeue_count"], second["dequeue_count"]) == (1, 2)
    assert second["at"] - first["at"] >= 0.9
    eventually(
        lambda: (
            host.log().count("RuntimeError: made to fail") == host.log().count("work failed id=")
        )
    )


def test_the_fifth_failure_moves_the_message_to_the_poison_queue(host: Host) -> None:
    host.change_queue_settings(visibilityTimeout="00:00:00")
    host.start()
    host.put({"fail": True})
    eventually(lambda: host.left("-poison") == 1)
    assert [record["dequeue_count"] for record in host.started()] == [1, 2, 3, 4, 5]
    eventually(lambda: host.left() == 0)
    with host.queue("-poison") as poison:
        content = poison.peek_messages()[0].content
    assert json.loads(base64.b64decode(content)) == {"fail": True}


def test_a_second_message_finds_the_poison_queue_made(host: Host) -> None:
    host.start()
    host.put("{not base64}", raw=True)
    eventually(lambda: host.left("-poison") == 1)
    host.put("{not base64}", raw=True)
    eventually(lambda: host.left("-poison") == 2)
    eventually(lambda: host.left() == 0)
    assert "storage fails" not in host.log()


def test_a_message_that_is_not_base64_goes_straight_to_poison(host: Host) -> None:
    host.start()
    host.put("{not base64}", raw=True)
    eventually(lambda: host.left("-poison") == 1)
    assert host.started() == []
    with host.queue("-poison") as poison:
        assert poison.peek_messages()[0].content == "{not base64}"


def test_white_space_in_base64_does_no_harm(host: Host) -> None:
    host.start()
    host.put("aGVs bG8=\r\n", raw=True)
    assert eventually(host.started)[0]["body"] == "hello"


COLLIDING = {
    "expirationTime": "never",
    "InsertionTime": "2030-01-01T00:00:00Z",
    "nextVisibleTime": 7,
    "dequeueCount": "many",
    "id": "its own",
    "popreceipt": "forged",
}


@pytest.mark.parametrize("text", ["{not base64}", "ey J9", "", "ä", json.dumps(COLLIDING)])
def test_without_an_encoding_and_as_bytes_a_message_is_delivered_as_it_was_put(
    host: Host, text: str
) -> None:
    host.change_queue_settings(messageEncoding="none")
    host.values["WorkDataType"] = "BINARY"
    host.start()
    message_id = host.put(text, raw=True)
    (seen,) = eventually(host.started)
    assert (seen["id"], seen["body"], seen["dequeue_count"]) == (message_id, text, 1)
    assert seen["pop_receipt"] != "forged"
    eventually(lambda: host.left() == 0)
    assert host.left("-poison") == 0


@pytest.mark.parametrize("message", [{"fail": True}, "{not base64}"])
def test_a_failing_message_on_a_poison_queue_stays_and_comes_back(
    host: Host, message: dict[str, Any] | str
) -> None:
    host.values["WorkQueue"] = host.queue_name = f"{host.queue_name}-poison"
    host.create_queue()
    host.change_queue_settings(maxDequeueCount=1)
    host.start("--lock-seconds", "1")
    host.put(message, raw=isinstance(message, str))
    with host.queue() as queue:
        eventually(lambda: (queue.peek_messages() or host.started())[:2])
        if not isinstance(message, str):
            eventually(lambda: len(host.started()) > 2)
    assert (host.left(), host.left("-poison")) == (1, 0)


def test_no_more_than_batch_and_threshold_are_in_flight(host: Host) -> None:
    for number in range(14):
        host.put({"sleep": 0.2 + 0.1 * (number % 4)})
    host.start()
    eventually(lambda: len(host.done()) == 14)
    running = most = 0
    for record in host.records():
        running += -1 if "done" in record else 1
        most = max(most, running)
    assert 4 < most <= 4 + 2


def test_what_a_killed_host_worked_on_is_taken_up_again(host: Host) -> None:
    host.start("--lock-seconds", "1")
    host.put({"sleep": 60})
    eventually(host.started)
    host.kill()
    host.start("--lock-seconds", "1")
    again = eventually(lambda: host.started()[1:])
    assert again[0]["dequeue_count"] == 2


def test_a_message_stays_locked_while_its_function_runs(host: Host) -> None:
    host.start("--lock-seconds", "1")
    host.put({"sleep": 2.2})
    eventually(host.done)
    eventually(lambda: host.left() == 0)
    assert len(host.started()) == 1


def test_a_storage_outage_is_logged_once_and_survived(host: Host, azurite: Any) -> None:
    host.start()
    azurite.stop()
    try:
        eventually(lambda: "storage fails" in host.log())
        time.sleep(0.5)  # some more polls
    finally:
        azurite.start()
    eventually(lambda: "storage answers again" in host.log())
    host.put("afterwards")
    eventually(host.done)
    assert host.log().count("storage fails") == 1


@pytest.mark.parametrize("loader", ["auto", "converters"])
def test_a_timer_calls_its_function_again_and_again(host: Host, loader: str) -> None:
    host.values["WorkSchedule"] = "* * * * * *"
    host.start("--loader", loader)
    eventually(lambda: len(host.ticks()) > 1)
    assert host.ticks()[0]["past_due"] is False


def test_a_queues_name_may_stand_in_a_setting(host: Host) -> None:
    host.values |= {"WorkQueue": "%NameOfTheQueue%", "NameOfTheQueue": host.queue_name}
    host.start()
    host.put("hello")
    eventually(host.done)


def test_a_queues_name_in_a_setting_that_is_not_there_stops_the_start(host: Host) -> None:
    host.values["WorkQueue"] = "%NoSuchSetting%"
    host.launch()
    assert host.exit_code() == 1
    assert "the app setting NoSuchSetting is not set" in host.log()
