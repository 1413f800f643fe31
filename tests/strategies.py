"""What strangers may send."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

Path = tuple[str | int, ...]
MISSING = object()


def mutated(document: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """This JSON object, with up to three of its values, at any depth, replaced or taken away."""
    edits = st.tuples(st.sampled_from(list(_paths(document))), json_values | st.just(MISSING))
    return st.lists(edits, max_size=3).map(lambda chosen: _edited(document, chosen))


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    if above:
        yield above
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield from _paths(inner, (*above, key))


def _edited(document: dict[str, Any], edits: list[tuple[Path, Any]]) -> dict[str, Any]:
    edited = copy.deepcopy(document)
    for path, value in edits:
        _edit(edited, path, value)
    return edited


def _edit(document: Any, path: Path, value: Any) -> None:
    *above, last = path
    try:
        for key in above:
            document = document[key]
        if isinstance(document, dict) and not isinstance(last, str):  # was a list before
            return
        if value is MISSING:
            del document[last]
        else:
            document[last] = value
    except (LookupError, TypeError):  # an edit before this one has changed what is above
        return
