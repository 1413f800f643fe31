"""local.settings.json: made once for each checkout, with secrets that nobody else knows.

python -m local_dev.settings_file
"""

import json
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot_logic.errors import SettingsError
from bot_logic.local_settings import NAME, json_file, values_of
from bot_logic.secret import is_published

ROOT: Final = Path(__file__).resolve().parent.parent
SECRET_BYTES: Final = 32


def make(folder: Path = ROOT) -> bool:
    """Write the file with fresh secrets, unless there is one; tell whether it was written."""
    settings = json_file(ROOT / f"{NAME}.example")
    settings["Values"] = {name: _fresh(value) for name, value in settings["Values"].items()}
    with tempfile.NamedTemporaryFile("w", dir=folder) as draft:  # readable by its owner only
        json.dump(settings, draft, indent=2)
        draft.write("\n")
        draft.flush()
        try:
            os.link(draft.name, folder / NAME)  # whole or not at all, and never over another
        except FileExistsError:
            return False
    return True


def renew(folder: Path = ROOT) -> bool:
    """Replace published secrets in the file, which an earlier version made; tell if there were any.

    The rest of the file stays as its owner wrote it.

    Raises:
        SettingsError: it is malformed.
    """
    path = folder / NAME
    published = [value for value in values_of(path).values() if is_published(value)]
    if not published:
        return False
    data = path.read_bytes()
    encoding = json.detect_encoding(data)
    text = data.decode(encoding)
    for value in published:
        text = text.replace(json.dumps(value), json.dumps(_fresh(value)), 1)
    path.write_bytes(text.encode(encoding))
    return True


def read(folder: Path = ROOT, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the settings of the file, if there is one; the environment wins.

    Raises:
        SettingsError: there is one, but it is malformed.
    """
    path = folder / NAME
    return {**(values_of(path) if path.exists() else {}), **environ}


def direct_line_secret(settings: Mapping[str, str]) -> str:
    """Return the secret that the local Direct Line and the app share.

    Raises:
        SettingsError: there is none, or it is one that everyone knows.
    """
    secret = settings.get("DirectLineSecret", "").strip()
    if not secret or is_published(secret):
        problem = f"{NAME} has no DirectLineSecret of its own among its Values"
        raise SettingsError(
            [f"{problem}: put a random one there, or delete the file for a new one"]
        )
    return secret


def _fresh(value: str) -> str:
    return secrets.token_urlsafe(SECRET_BYTES) if is_published(value) else value


def main() -> None:
    """Make the file, or see to it that its secrets are its own, and say so."""
    if make():
        sys.stdout.write(f"Made {NAME}, with secrets of its own.\n")
    elif renew():
        sys.stdout.write(f"Replaced the example's secrets in {NAME}.\n")


if __name__ == "__main__":
    try:
        main()
    except SettingsError as error:
        sys.exit(str(error))
