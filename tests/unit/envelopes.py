"""Every envelope that can travel, for tests that say something about all of them."""

import json
from typing import Any

from hypothesis import strategies as st

from bot_logic.contract.envelope import Envelope

NOW = 1_800_000_000  # Unix time, seconds; the tests' present
REFERENCE: dict[str, Any] = {
    "channelId": "directline",
    "serviceUrl": "http://localhost:3000",
    "conversation": {"id": "c1"},
    "user": {"id": "u1", "name": "Ada"},
    "bot": {"id": "b1"},
}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # halves of characters, too
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_objects = st.dictionaries(st.text(max_size=20), _values, max_size=3)
_times = st.integers(min_value=1, max_value=10**11 - 1)
_references = st.builds(
    lambda more, user: more | REFERENCE | {"user": user, "locale": "en-GB"},
    _objects,
    st.builds(lambda more: more | {"id": "u1"}, _objects),
).map(lambda reference: {k: v for k, v in reference.items() if k != "activityId"})
_contents = st.one_of(
    st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=()), min_size=1)}),
    st.fixed_dictionaries({"text": st.just(""), "activity": _objects}),
)
_others = st.fixed_dictionaries(
    {
        "id": st.text(st.sampled_from("azAZ09-_.:|é🍕 "), min_size=3, max_size=40),
        "conversation": _references,
        "created": _times,
    },
    optional={
        "data": _objects,
        "at": _times,
        "expires": _times,
        "attempt": st.integers(min_value=0, max_value=1000),
        "first_failure": st.text(max_size=200),
        "traceparent": st.just(TRACEPARENT),
    },
)

envelopes = st.builds(lambda content, others: Envelope(**content, **others), _contents, _others)


def message(**changes: Any) -> str:
    """A queue message with these fields besides `conversation` and `text`, or instead of them."""
    return json.dumps({"conversation": REFERENCE, "text": "x"} | changes)
