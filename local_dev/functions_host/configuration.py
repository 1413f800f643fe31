"""Reads host.json and local.settings.json; a wrong value is an error that names its key.

https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot_logic.errors import SettingsError
from bot_logic.local_settings import json_file, values_of
from local_dev.callers import SETTING, Callers

_MODES = ("ApplicationInsights", "OpenTelemetry")  # this host itself tells nobody, in either


class StartError(Exception):
    """The host cannot start, for the reason in the message."""


class Configuration:
    """What the host needs to know; what the files leave out is as in the real host."""

    def __init__(self, app_dir: Path, cores: int | None = os.cpu_count()) -> None:
        """Read both files; `Values` become environment variables unless already set."""
        self.port = _read_local_settings(app_dir / "local.settings.json")
        self.callers = _callers()
        host, queues = _File(app_dir / "host.json"), "extensions.queues."
        host.get("version", "2.0", '"2.0"', lambda v: v == "2.0")
        host.get("telemetryMode", _MODES[0], f"one of {', '.join(_MODES)}", _is_telemetry_mode)
        prefix = host.get(
            "extensions.http.routePrefix", "api", "a string", lambda v: isinstance(v, str)
        )
        self.route_prefix = prefix.strip("/")
        self.batch_size = host.number(queues + "batchSize", 16, 1, 32)
        threshold = self.batch_size // 2 * (cores or 1)
        self.new_batch_threshold = host.number(queues + "newBatchThreshold", threshold, 0)
        self.max_dequeue_count = host.number(queues + "maxDequeueCount", 5, 1)
        self.max_polling_seconds = host.seconds(queues + "maxPollingInterval", "00:01:00", 0.1)
        self.visibility_seconds = int(host.seconds(queues + "visibilityTimeout", "00:00:00", 0))
        encoding = host.get(
            queues + "messageEncoding", "base64", '"base64" or "none"', _is_encoding
        )
        self.is_base64 = encoding.lower() == "base64"


def _is_telemetry_mode(value: object) -> bool:
    return isinstance(value, str) and value.lower() in map(str.lower, _MODES)


def _is_encoding(value: object) -> bool:
    return isinstance(value, str) and value.lower() in {"base64", "none"}


def is_disabled(function_name: str) -> bool:
    """Tell whether the platform's own setting switches a function off.

    In any case of letters, and with `_` for shells that cannot export a dot.
    """
    names = {f"azurewebjobs{dot}{function_name}{dot}disabled".lower() for dot in "._"}
    values = [value.strip().lower() for name, value in os.environ.items() if name.lower() in names]
    return any(value in {"true", "1"} for value in values)


def resolved(value: str) -> str:
    """Return what a trigger says, which may stand in an app setting: `%Setting%`.

    Raises:
        StartError: there is no such setting.
    """
    setting = re.fullmatch("%(.+)%", value)
    if setting is None:
        return value
    if setting[1] not in os.environ:
        raise StartError(f"the app setting {setting[1]} is not set")
    return os.environ[setting[1]]


def _callers() -> Callers:
    try:
        return Callers.from_setting(os.environ.get(SETTING, ""))
    except ValueError as error:
        raise StartError(str(error)) from None


def _read_local_settings(path: Path) -> int:
    if not path.exists():  # as with func, the environment will do
        return 7071
    settings = _File(path)
    try:
        values = values_of(path)
    except SettingsError as error:
        raise StartError(str(error)) from None
    for name, value in values.items():
        os.environ.setdefault(name, value)
    return settings.number("Host.LocalHttpPort", 7071, 1, 65535)


class _File:
    """A JSON file whose values are asked for by dotted key."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            self._content = json_file(path)
        except SettingsError as error:
            raise StartError(str(error)) from None

    def get(self, key: str, default: Any, expected: str, is_valid: Callable[[Any], bool]) -> Any:
        value = self._content
        for part in key.split("."):
            value = value.get(part, {}) if isinstance(value, dict) else None
        value = default if value == {} else value
        if not is_valid(value):
            raise StartError(f"{self._name}: {key} must be {expected}")
        return value

    def number(self, key: str, default: int, low: int, high: int = 2**31 - 1) -> int:
        expected = f"a whole number from {low} to {high}"  # and True is an int, too
        return int(self.get(key, default, expected, lambda v: type(v) is int and low <= v <= high))

    def seconds(self, key: str, default: str, low: float) -> float:
        expected = f'a time span such as "00:00:30", and at least {low} s'
        return _seconds(self.get(key, default, expected, lambda v: _seconds(v) >= low))


def _seconds(time_span: object) -> float:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d(?:\.\d+)?)", str(time_span))
    hours, minutes, seconds = map(float, match.groups() if match else (0, 0, -1))
    return hours * 3600 + minutes * 60 + seconds
