"""What the local Functions host computes without any server."""

import itertools
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func
import pytest
from azure.storage.queue import QueueMessage

from local_dev.callers import ONLY_THIS_MACHINE
from local_dev.functions_host.configuration import Configuration, StartError, is_disabled
from local_dev.functions_host.queue_listener import QueueListener, idle_delays
from local_dev.functions_host.queue_message import trigger_metadata

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def read(folder: Path, host: Any = None, settings: Any = None, cores: int = 1) -> Configuration:
    (folder / "host.json").write_text(json.dumps({"version": "2.0"} | (host or {})))
    if settings is not None:
        (folder / "local.settings.json").write_text(json.dumps(settings))
    return Configuration(folder, cores)


def queues(**settings: Any) -> dict[str, Any]:
    return {"extensions": {"queues": settings}}


def test_what_is_not_set_is_as_in_the_real_host(tmp_path: Path) -> None:
    assert vars(read(tmp_path, cores=3)) == {
        "port": 7071,
        "route_prefix": "api",
        "batch_size": 16,
        "new_batch_threshold": 24,
        "max_dequeue_count": 5,
        "max_polling_seconds": 60,
        "visibility_seconds": 0,
        "is_base64": True,
        "callers": ONLY_THIS_MACHINE,
    }


def test_what_is_set_is_read(tmp_path: Path) -> None:
    extensions = {
        "http": {"routePrefix": ""},
        "queues": {
            "batchSize": 32,
            "newBatchThreshold": 0,
            "maxDequeueCount": 1,
            "maxPollingInterval": "00:00:02.5",
            "visibilityTimeout": "02:03:04",
            "messageEncoding": "None",
        },
    }
    settings = {"IsEncrypted": False, "Host": {"LocalHttpPort": 7072}}
    host = {"extensions": extensions, "telemetryMode": "openTelemetry"}
    assert vars(read(tmp_path, host, settings)) == {
        "port": 7072,
        "route_prefix": "",
        "batch_size": 32,
        "new_batch_threshold": 0,
        "max_dequeue_count": 1,
        "max_polling_seconds": 2.5,
        "visibility_seconds": 2 * 3600 + 3 * 60 + 4,
        "is_base64": False,
        "callers": ONLY_THIS_MACHINE,
    }


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ({"version": "1.0"}, "version"),
        ({"telemetryMode": "opentelemetry2"}, "telemetryMode"),
        ({"extensions": []}, "extensions"),
        ({"extensions": {"http": {"routePrefix": 1}}}, "extensions.http.routePrefix"),
        (queues(batchSize=33), "extensions.queues.batchSize"),
        (queues(batchSize=True), "extensions.queues.batchSize"),
        (queues(newBatchThreshold=-1), "extensions.queues.newBatchThreshold"),
        (queues(maxDequeueCount="5"), "extensions.queues.maxDequeueCount"),
        (queues(maxPollingInterval="00:00:00.05"), "extensions.queues.maxPollingInterval"),
        (queues(visibilityTimeout="24:00:00"), "extensions.queues.visibilityTimeout"),
        (queues(visibilityTimeout=30), "extensions.queues.visibilityTimeout"),
        (queues(messageEncoding="base32"), "extensions.queues.messageEncoding"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_value_in_host_json_is_named(tmp_path: Path, host: Any, key: str) -> None:
    with pytest.raises(StartError, match=rf"host\.json: {key}.* must be "):
        read(tmp_path, host)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "IsEncrypted"),
        ({"IsEncrypted": True}, "IsEncrypted"),
        ({"IsEncrypted": False, "Values": {"Retries": [3]}}, "Values.Retries"),
        ({"IsEncrypted": False, "Values": "x"}, "Values"),
        ({"IsEncrypted": False, "Host": {"LocalHttpPort": 0}}, "Host.LocalHttpPort"),
    ],
)
def test_a_wrong_value_in_local_settings_is_named(tmp_path: Path, settings: Any, key: str) -> None:
    with pytest.raises(StartError, match=rf"local\.settings\.json: {key} must be "):
        read(tmp_path, settings=settings)


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(StartError, match=r"cannot read .*host\.json"):
        Configuration(tmp_path)


def test_the_environment_wins_over_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Colour", "red")
    monkeypatch.setenv("Size", "")  # so that it is put back afterwards
    monkeypatch.delenv("Size")
    read(tmp_path, settings={"IsEncrypted": False, "Values": {"Colour": "blue", "Size": "big"}})
    assert (os.environ["Colour"], os.environ["Size"]) == ("red", "big")


@pytest.mark.parametrize("value", ["", "nonsense"], ids=["empty", "malformed"])
def test_a_wrong_connection_string_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("Storage", value)
    with pytest.raises(StartError, match="the app setting Storage is not set or wrong: "):
        listener(tmp_path)


def test_development_storage_is_azurite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Storage", "UseDevelopmentStorage=true")
    assert listener(tmp_path).queue_url == "http://127.0.0.1:10001/devstoreaccount1/work"


def listener(folder: Path) -> QueueListener:
    trigger = {"queueName": "work", "connection": "Storage"}
    function = SimpleNamespace(name="work", trigger=trigger)
    return QueueListener(cast("Any", function), read(folder), 600)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False), ("", False)],
)
def test_a_function_is_disabled_by_its_setting(
    monkeypatch: pytest.MonkeyPatch, value: str, *, expected: bool
) -> None:
    monkeypatch.setenv("AzureWebJobs.deliver.Disabled", value)
    assert is_disabled("deliver") is expected


@pytest.mark.parametrize(
    "name",
    [
        "AzureWebJobs.deliver.Disabled",
        "azurewebjobs.DELIVER.disabled",
        "AzureWebJobs_deliver_Disabled",
    ],
)
def test_a_function_is_disabled_in_every_spelling_that_the_real_host_takes(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "true")
    assert is_disabled("deliver")
    assert not is_disabled("other")


@pytest.mark.parametrize(
    "name", ["AzureWebJobs__deliver__Disabled", "AzureWebJobs-deliver.Disabled"]
)
def test_other_spellings_disable_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "true")
    assert not is_disabled("deliver")


def test_an_idle_queue_is_asked_less_and_less_often() -> None:
    delays = list(itertools.islice(idle_delays(2), 9))
    assert delays[0] == 0.1
    assert delays[-2:] == [2, 2]
    middles = (0.2, 0.3, 0.5, 0.9, 1.7)
    assert delays[1:6] == [pytest.approx(middle, rel=0.2) for middle in middles]


def metadata_as_decoded(text: str) -> Any:
    message = QueueMessage(id="an id", dequeue_count=3, pop_receipt="a receipt")
    message.inserted_on = message.next_visible_on = message.expires_on = NOON
    converter = func.get_binding_registry().get("queueTrigger")  # type: ignore[no-untyped-call]
    datum = func.meta.Datum(text, "string")
    return converter.decode(datum, trigger_metadata=trigger_metadata(message, text))


@pytest.mark.parametrize("text", ["plain", "[1]", '{"other": 1, "id": null, "popreceipt": []}'])
def test_metadata_decodes_to_the_properties_of_the_message(text: str) -> None:
    decoded = metadata_as_decoded(text)
    assert (decoded.id, decoded.dequeue_count, decoded.pop_receipt) == ("an id", 3, "a receipt")
    assert (decoded.insertion_time, decoded.time_next_visible) == (NOON, NOON)
    assert decoded.get_body() == text.encode()


def test_a_json_body_overwrites_metadata_as_in_the_real_host() -> None:
    decoded = metadata_as_decoded('{"ID": 7, "dequeueCount": "9", "popReceipt": {"a": 1}}')
    assert (decoded.id, decoded.dequeue_count, decoded.pop_receipt) == ("7", 9, "{'a': 1}")


@pytest.mark.parametrize("name", ["expirationTime", "INSERTIONTIME", "nextvisibletime"])
@pytest.mark.parametrize(
    "value", ["never", 7, "2030-01-01T00:00:00Z", "2030-01-01T00:00:00.5+02:00"]
)
def test_a_time_in_a_json_body_stops_the_message_as_in_the_real_host(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="does not match format"):
        metadata_as_decoded(json.dumps({name: value}))


def test_a_date_in_a_json_body_comes_in_another_notation_as_in_the_real_host() -> None:
    assert metadata_as_decoded('{"id": "2030-01-01T01:00:00+01:00"}').id == "01/01/2030 00:00:00"
