"""A string that does not show itself, and strings that are no secret."""

from typing import Final

# What the secrets in local.settings.json.example hold, today and in earlier versions.
_PUBLISHED: Final = ("replace-me", "only-for-this-machine")


def is_published(value: str) -> bool:
    """Tell whether this is a secret of the example settings, which everyone knows."""
    return any(mark in value for mark in _PUBLISHED)


class Secret:
    """A password, key or token that no log line, repr or error shows by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string itself; call this only where it goes onto the wire."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('**********')"
