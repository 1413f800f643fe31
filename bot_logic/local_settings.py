"""local.settings.json and host.json, as people really have them: read as Core Tools read them.

Comments, a comma behind the last entry, a byte order mark and Windows' UTF-16 are fine, and so are
numbers and `true` where a text is wanted.
https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from bot_logic.errors import SettingsError

NAME: Final = "local.settings.json"

_STRING: Final = r'(?P<kept>"(?:\\.|[^"\\\n])*")'  # in which nothing is a comment or such a comma
_COMMENT: Final = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA: Final = re.compile(rf"{_STRING}|,(?=\s*[\]}}])")


def json_file(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        SettingsError: it cannot be read; naming the file, and the line where there is one.
    """
    try:
        data = path.read_bytes()
        return json.loads(_plain(data.decode(json.detect_encoding(data))))
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)
    raise SettingsError([f"cannot read {path}: {reason}"])


def values_of(path: Path) -> dict[str, str]:
    """Return the settings in a local.settings.json.

    Raises:
        SettingsError: it cannot be read, or something in it is no setting.
    """
    content = json_file(path)
    if not isinstance(content, dict):
        raise SettingsError([f"{path.name} must hold an object"])
    if content.get("IsEncrypted") is not False:
        raise SettingsError(
            [f"{path.name}: IsEncrypted must be false, or its values count as encrypted"]
        )
    values = content.get("Values", {})
    if not isinstance(values, dict):
        raise SettingsError([f"{path.name}: Values must be an object"])
    return {
        name: _text(value, f"{path.name}: Values.{name}")
        for name, value in values.items()
        if value is not None
    }


def _plain(text: str) -> str:
    """Put blanks in the place of what JSON does not know, so that lines and columns stay."""
    for unknown in (_COMMENT, _LAST_COMMA):
        text = unknown.sub(lambda found: found["kept"] or re.sub(r"[^\n]", " ", found[0]), text)
    return text


def _text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise SettingsError([f"{name} must be a string"])
