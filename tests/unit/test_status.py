"""What can have become of a message; the words are stored, so they stay as they are."""

import pytest

from bot_logic.contract.status import Status


@pytest.mark.parametrize(
    ("stored", "status", "is_final"),
    [
        ("open", Status.OPEN, False),
        ("underWay", Status.UNDER_WAY, False),
        ("delivered", Status.DELIVERED, True),
        ("deadLettered", Status.DEAD_LETTERED, True),
    ],
)
def test_each_status_has_its_word_and_says_whether_it_is_the_end(
    stored: str, status: Status, *, is_final: bool
) -> None:
    assert Status(stored) is status
    assert status.is_final is is_final


def test_there_is_no_other_status() -> None:
    assert len(Status) == 4
    with pytest.raises(ValueError, match="lost"):
        Status("lost")
