"""The app package with which a bot gets into Teams: `make teams-package BOT_ID=...`.

What it holds is in `teams/`, for you to edit: docs/teams.md.
"""

import json
import os
import re
import struct
import sys
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft4Validator

from local_dev import zip_file
from local_dev.console import say
from local_dev.programs import ROOT

SOURCE: Final = ROOT / "teams"
SCHEMAS: Final = ROOT / "local_dev" / "teams_schemas"  # Microsoft's; the Makefile fetches them
ZIP: Final = ROOT / "dist" / "teams-app.zip"
NOBODY: Final = "00000000-0000-0000-0000-000000000000"  # in the manifest, where the bot's id goes
# https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/apps-package
ICON_SIZES: Final = {"color": 192, "outline": 32}  # pixels, both ways

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SHOWN: Final = 200  # characters of one problem


class TeamsPackageError(Exception):
    """There is no package; the message has a line for each problem."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))


def build(bot_id: str, domain: str = "", *, source: Path = SOURCE, path: Path = ZIP) -> None:
    """Write the app package.

    Args:
        bot_id: the bot's app id, which becomes the id of the Teams app, too.
        domain: a host whose pages Teams may show; a bot without pages needs none.
        source: the folder of the manifest and the icons.
        path: where the zip goes.

    Raises:
        TeamsPackageError: an argument or something in the folder is wrong.
    """
    manifest = _manifest(source, checked_bot_id(bot_id), checked_domain(domain))
    names = {kind: manifest["icons"][kind] for kind in ICON_SIZES}
    icons = [(name, _icon(source, name, kind)) for kind, name in names.items()]
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    zip_file.write(path, [("manifest.json", text.encode()), *icons])


def checked_bot_id(value: str) -> str:
    """Return a bot's app id in lower case.

    Raises:
        TeamsPackageError: it is none; the message does not show it, for it may be a secret.
    """
    if not value:
        raise TeamsPackageError("BOT_ID is missing: make teams-package BOT_ID=<the bot's app id>")
    if not _GUID.fullmatch(value) or value == NOBODY:
        example = "12345678-1234-1234-1234-123456789abc"
        raise TeamsPackageError(
            f"BOT_ID must be the bot's app id (MicrosoftAppId), a GUID such as {example}"
        )
    return value.lower()


def checked_domain(value: str) -> str:
    """Return a host name, or "" for none.

    Raises:
        TeamsPackageError: it is more, or less, than one host's name.
    """
    if value and not _DOMAIN.fullmatch(value):
        raise TeamsPackageError(
            "BOT_DOMAIN must be one host name in small letters, such as app.azurewebsites.net, "
            "without https://, a port, a path or *"
        )
    return value


def _manifest(source: Path, bot_id: str, domain: str) -> dict[str, Any]:
    try:
        text = (source / "manifest.json").read_text(encoding="utf-8")
        manifest: dict[str, Any] = json.loads(text.replace(NOBODY, bot_id))
    except (OSError, ValueError) as error:
        raise TeamsPackageError(f"manifest.json: {error}") from None
    if problems := _problems(manifest):
        raise TeamsPackageError(*problems)
    if manifest["id"] != bot_id:
        raise TeamsPackageError(f"manifest.json: id: must be {NOBODY}, the place of the bot's id")
    if domain:
        manifest["validDomains"] = sorted({*manifest.get("validDomains", ()), domain})
    return manifest


def _problems(manifest: Any) -> list[str]:
    """Return what Microsoft's schema of the manifest's own version says against it."""
    version = str(manifest.get("manifestVersion")) if isinstance(manifest, dict) else ""
    known = {each.name.removeprefix("v"): each for each in SCHEMAS.glob("v[0-9]*")}
    if not known:
        return ["Microsoft's schemas are not here; make teams-package fetches them"]
    if version not in known:
        newest = max(known, key=lambda each: [int(part) for part in each.split(".")])
        return [f"manifest.json: manifestVersion: no such version; the newest is {newest}"]
    schema = json.loads((known[version] / "MicrosoftTeams.schema.json").read_bytes())
    errors = sorted(Draft4Validator(schema).iter_errors(manifest), key=lambda each: str(each.path))
    return [_said(each.absolute_path, each.message) for each in errors]


def _said(place: Any, message: str) -> str:
    return f"manifest.json: {'.'.join(map(str, place)) or 'as a whole'}: {message}"[:_SHOWN]


def _icon(source: Path, name: str, kind: str) -> bytes:
    if Path(name).name != name:
        raise TeamsPackageError(f"manifest.json: icons.{kind}: must be a file beside the manifest")
    try:
        content = (source / name).read_bytes()
    except OSError as error:
        raise TeamsPackageError(f"{name}: {error.strerror}") from None
    size = ICON_SIZES[kind]
    if content[:8] != _PNG or content[16:24] != struct.pack(">II", size, size):
        raise TeamsPackageError(f"{name}: must be a PNG of {size} by {size} pixels")
    return content


def main() -> int:
    """Build the package from BOT_ID and BOT_DOMAIN; the exit code is 1 if something is wrong."""
    try:
        build(os.environ.get("BOT_ID", ""), os.environ.get("BOT_DOMAIN", ""))
    except TeamsPackageError as error:
        say(str(error), sys.stderr)
        return 1
    say(f"{ZIP.relative_to(ROOT)} is ready to be uploaded to Teams: docs/teams.md says how.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
