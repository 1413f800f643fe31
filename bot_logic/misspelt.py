"""Which known name somebody may have meant by another one."""

from collections.abc import Iterable, Mapping
from typing import Final

CLOSE: Final = 0.85  # of 1, which is the same but for small and capital letters

_PART: Final = "__"  # of a connection's name: only what comes behind it is compared


def meant_by(names: Iterable[str], known: Iterable[str]) -> Mapping[str, str]:
    """Return what is close to a known name without being one, each with the one that is meant."""
    known = frozenset(known)
    by_words = {_words(name): name for name in known}
    meant = {name: _closest(name, by_words) for name in sorted(set(names) - known)}
    return {name: other for name, other in meant.items() if other}


def _closest(name: str, by_words: Mapping[tuple[str, str], str]) -> str:
    # Only a process whose settings may be misspelt pays for the import.
    from difflib import get_close_matches  # noqa: PLC0415

    connection, last = _words(name)
    beside = {word: known for (of, word), known in by_words.items() if of == connection}
    found = get_close_matches(last, beside, n=1, cutoff=CLOSE)
    return beside[found[0]] if found else ""


def _words(name: str) -> tuple[str, str]:
    connection, _, last = name.lower().rpartition(_PART)
    return connection, last
