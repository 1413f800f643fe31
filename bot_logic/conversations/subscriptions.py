"""The topics that a conversation has subscribed to, in one column of its row."""

import json
from typing import Final

from bot_logic.errors import BadRequest
from bot_logic.storage.protocols import Row

MAX_TOPICS: Final = 100  # of one conversation; names have 100 characters at most, so it fits
_TOPICS: Final = "topics"


def topics_of(row: Row) -> dict[str, str]:
    """Return the topics of a conversation's row, and since when (Unix time) it has each."""
    return dict(json.loads(row.get(_TOPICS, "{}")))


def with_topic(row: Row, topic: str, since: float) -> Row:
    """Return the row with a topic more.

    Raises:
        BadRequest: 409, it has as many as a conversation may have.
    """
    topics = topics_of(row)
    if topic not in topics and len(topics) >= MAX_TOPICS:
        raise BadRequest(
            f"a conversation has {MAX_TOPICS} topics at most", status=409, code="TooManyTopics"
        )
    return _with(row, {**topics, topic: str(int(since))})


def without_topic(row: Row, topic: str) -> Row:
    """Return the row without a topic."""
    return _with(row, {name: since for name, since in topics_of(row).items() if name != topic})


def only_topics(row: Row) -> Row:
    """Return what stays of a conversation's row when its reference is written anew."""
    return {name: value for name, value in row.items() if name == _TOPICS}


def _with(row: Row, topics: dict[str, str]) -> Row:
    return {**row, _TOPICS: json.dumps(topics, ensure_ascii=False)}
