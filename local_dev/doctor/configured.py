"""The settings: those of this checkout, or those that an app in Azure has, in a file."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from bot_logic.errors import SettingsError
from bot_logic.local_settings import NAME, json_file, values_of
from bot_logic.secret import Secret
from bot_logic.settings import Settings, is_reference, misspelt, storage_location
from bot_logic.storage.location import StorageLocation
from local_dev import settings_file
from local_dev.doctor.findings import Finding, note, ok, problem
from local_dev.doctor.machine import SET_UP

T = TypeVar("T")

LEAST_VARIETY: Final = 10  # different characters; 32 random hexadecimal digits have 14 on average
ASK_THE_APP: Final = 'ask it: make doctor DOCTOR="--url https://HOST"'
# What only the platform gives to an app, in which no file has it.
_OF_THE_PLATFORM: Final = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")


@dataclass(frozen=True, slots=True)
class Source:
    """Where settings were read, and what an app would read there.

    Attributes:
        values: by name.
        remedy: where a wrong one is mended.
        deployed: whether they are of an app in Azure.
        missing: the file that would hold them, if there is none yet.
    """

    values: Mapping[str, str]
    remedy: str
    deployed: bool
    missing: str = ""


def of_this_checkout(folder: Path = settings_file.ROOT) -> Source:
    """Read what `make run` would read; the environment wins.

    Raises:
        SettingsError: local.settings.json is malformed.
    """
    local = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}  # as local hosts set it
    values = local | settings_file.read(folder, os.environ)
    missing = "" if (folder / NAME).exists() else NAME
    return Source(values, f"mend it in {NAME}: README.md#settings", deployed=False, missing=missing)


def of_a_file(path: Path) -> Source:
    """Read the settings of an app in Azure.

    Either in the shape of local.settings.json, or as `az functionapp config appsettings list`
    prints them. Nothing of this machine's environment is added.

    Raises:
        SettingsError: it cannot be read, or holds something else.
    """
    content = json_file(path)
    values = _listed(content, path) if isinstance(content, list) else values_of(path)
    remedy = "az functionapp config appsettings set: docs/deploy.md; meanings: README.md#settings"
    return Source(values, remedy, deployed=True)


def _listed(content: list[Any], path: Path) -> dict[str, str]:
    values = {}
    for each in content:
        if not (isinstance(each, dict) and isinstance(each.get("name"), str)):
            raise SettingsError([f"{path.name} must hold objects with name and value"])
        if isinstance(each.get("value"), str):
            values[each["name"]] = each["value"]
    return values


@dataclass(frozen=True, slots=True)
class Reading:
    """What the app would make of the settings; None for what it could not use."""

    settings: Settings | None
    storage: StorageLocation | None
    findings: tuple[Finding, ...]


def read(source: Source) -> Reading:
    """Check all settings, as the app does when it starts."""
    storage, _ = _attempt(lambda: storage_location(source.values))
    settings, problems = _attempt(lambda: Settings.from_environment(source.values))
    if problems and source.missing:
        findings = [problem("settings", f"there is no {source.missing} yet", SET_UP)]
    else:
        findings = [_unusable(source, each) for each in problems]
    findings += [
        note(name, "is no setting of this app, which does not read it", f"is {meant} meant?")
        for name, meant in misspelt(source.values).items()
    ]
    if settings:
        findings += [ok("settings", "all are there and can be right"), *_signing_keys(settings)]
    return Reading(settings, storage, tuple(findings))


def _attempt(read_them: Callable[[], T]) -> tuple[T | None, tuple[str, ...]]:
    try:
        return read_them(), ()
    except SettingsError as error:
        return None, error.problems


def _unusable(source: Source, said: str) -> Finding:
    name = said.partition(" ")[0]
    if source.deployed and name in _OF_THE_PLATFORM:
        return note(name, "is known only to the app itself, in Azure", ASK_THE_APP)
    if source.deployed and is_reference(source.values.get(name, "")):
        return note(name, "is a reference, which only the app itself can follow", ASK_THE_APP)
    return problem("setting", said, source.remedy)


def _signing_keys(settings: Settings) -> Iterator[Finding]:
    for number, key in enumerate(settings.trigger_signing_keys, 1):
        subject = "TriggerSigningKey" if number == 1 else f"TriggerSigningKey, key {number}"
        reason = _reason_against(key, settings)
        if reason:
            yield problem(subject, reason, "take a random one: openssl rand -base64 32")
        else:
            yield ok(subject, "is long and not easily guessed")


def _reason_against(key: Secret, settings: Settings) -> str:
    text = key.reveal()
    if text == settings.direct_line_secret.reveal():
        return "is the Direct Line secret, which others know, too"
    if len(set(text)) < LEAST_VARIETY:
        return f"has fewer than {LEAST_VARIETY} different characters and can be guessed"
    return ""
