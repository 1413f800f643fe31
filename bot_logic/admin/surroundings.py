"""What an operator's command is told from outside: local.settings.json, and the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

from bot_logic import local_settings


def environment() -> Mapping[str, str]:
    """Return the settings of local.settings.json, if there is one, and those that win over it."""
    path = Path(local_settings.NAME)
    return {**(local_settings.values_of(path) if path.exists() else {}), **os.environ}
