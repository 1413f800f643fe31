"""Reads host.json and local.settings.json; a wrong value is an error that names its key."""

import json
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

# The account that every Azurite serves; its key is public.
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
DEVELOPMENT_STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1"
)
TIMESPAN = re.compile(
    r"((?P<days>\d+)\.)?(?P<hours>[01]?\d|2[0-3]):(?P<minutes>[0-5]?\d)"
    r":(?P<seconds>[0-5]?\d(\.\d{1,7})?)"
)


class ConfigurationError(Exception):
    """A setting is wrong; the message names it and says what it should be."""


@dataclass(frozen=True)
class Configuration:
    """What the host needs to know; the defaults are the real host's."""

    port: int
    route_prefix: str
    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    max_polling_interval: float  # seconds
    visibility_timeout: int  # seconds
    base64: bool


def read_configuration(app_dir: Path) -> Configuration:
    """Read both files of the app; `Values` become environment variables unless already set."""
    port = _read_local_settings(app_dir / "local.settings.json")
    host, queues = _File(app_dir / "host.json"), "extensions.queues."
    host.text("version", "", r"2\.0", '"2.0"')
    batch_size = host.number(queues + "batchSize", 16, 1, 32)
    threshold = batch_size // 2 * (os.cpu_count() or 1)
    encoding = host.text(queues + "messageEncoding", "base64", "base64|none", '"base64" or "none"')
    return Configuration(
        port=port,
        route_prefix=host.text("extensions.http.routePrefix", "api", ".*", "a string").strip("/"),
        batch_size=batch_size,
        new_batch_threshold=host.number(queues + "newBatchThreshold", threshold, 0),
        max_dequeue_count=host.number(queues + "maxDequeueCount", 5, 1),
        max_polling_interval=host.seconds(queues + "maxPollingInterval", "00:01:00", 0.1),
        visibility_timeout=int(host.seconds(queues + "visibilityTimeout", "00:00:00", 0)),
        base64=encoding.lower() == "base64",
    )


def app_setting(name: str) -> str:
    """Return an app setting that a trigger names."""
    if name not in os.environ:
        raise ConfigurationError(f"the app setting {name} is not set")
    return os.environ[name]


def resolve_settings(text: str) -> str:
    """Replace each %Name% by the app setting of that name."""
    return re.sub("%([^%]+)%", lambda match: app_setting(match[1]), text)


def connection_string(setting: str) -> str:
    """Return the storage connection string that a trigger's `connection` names."""
    value = app_setting(setting)
    return DEVELOPMENT_STORAGE if value == "UseDevelopmentStorage=true" else value


def is_disabled(function_name: str) -> bool:
    """Tell whether the platform's own setting switches a function off."""
    return os.environ.get(f"AzureWebJobs.{function_name}.Disabled", "").lower() in {"true", "1"}


def _read_local_settings(path: Path) -> int:
    if not path.exists():  # as with func, the environment will do
        return 7071
    settings = _File(path)
    if settings.find("IsEncrypted", None) is not False:
        settings.fail("IsEncrypted", "false; without that the file counts as encrypted")
    values = settings.find("Values", {})
    if not isinstance(values, dict):
        settings.fail("Values", "an object")
    for name, value in values.items():
        if not isinstance(value, str):
            settings.fail(f"Values.{name}", "a string")
        os.environ.setdefault(name, value)
    return settings.number("Host.LocalHttpPort", 7071, 1, 65535)


class _File:
    """A JSON file whose values are asked for by dotted key."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            self._content = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"cannot read {path}: {error}") from None

    def find(self, key: str, default: Any) -> Any:
        found = self._content
        for part in key.split("."):
            if not isinstance(found, dict):
                self.fail(key, "within an object")
            found = found.get(part, {})
        return default if found == {} else found

    def text(self, key: str, default: str, pattern: str, expected: str) -> str:
        value = self.find(key, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.IGNORECASE):
            self.fail(key, expected)
        return value

    def number(self, key: str, default: int, low: int, high: int = 2**31 - 1) -> int:
        value = self.find(key, default)
        if type(value) is not int or not low <= value <= high:  # True is an int, too
            self.fail(key, f"a whole number from {low} to {high}")
        return value

    def seconds(self, key: str, default: str, low: float) -> float:
        match = TIMESPAN.fullmatch(str(self.find(key, default)))
        parts = match.groupdict("0") if match else {"seconds": "-1"}
        value = timedelta(**{unit: float(part) for unit, part in parts.items()}).total_seconds()
        if value < low:
            self.fail(key, f'a time span such as "00:00:30", and at least {low} s')
        return value

    def fail(self, key: str, expected: str) -> NoReturn:
        raise ConfigurationError(f"{self._name}: {key} must be {expected}")
