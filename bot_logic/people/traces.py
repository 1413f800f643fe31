"""By what it is known who somebody is in notifications, where most names are digits."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from bot_logic.conversations.audiences import digits_in
from bot_logic.conversations.channels import is_of_clients
from bot_logic.notifications.first_contact import place_of
from bot_logic.notifications.notification import FORGOTTEN
from bot_logic.notifications.page import NOBODY, Message, Recipient, bounded
from bot_logic.notifications.store import StoredPage
from bot_logic.people.subject import Subject


@dataclass(frozen=True, slots=True)
class Traces:
    """By what recipients on pages are known to be somebody.

    Attributes:
        digits: that stand for them in places.
        unknown: ids, as a page has them of whom nobody knew.
        activities: how the ids of activities begin that name a conversation of theirs.
        places: in `to`, by the notification's id.
    """

    digits: frozenset[str]
    unknown: frozenset[str]
    activities: tuple[str, ...]
    places: dict[str, frozenset[str]]

    @classmethod
    def of(cls, subject: Subject, places: dict[str, frozenset[str]]) -> Self:
        """Return by what a person or a conversation is known."""
        of_clients = (
            each.reference["conversation"]["id"]
            for each in subject.conversations
            if is_of_clients(each.reference["channelId"])
        )
        return cls(
            subject.digits,
            frozenset(map(bounded, subject.ids)),
            tuple(f"{each}|" for each in of_clients),
            places,
        )

    def of_them_on(self, stored: StoredPage) -> list[Recipient]:
        """Return the recipients on a page who are them."""
        named = self.places.get(stored.key.partition)  # else somebody else is cut down to the same
        places = self.unknown | named if named else frozenset[str]()
        return [each for each in stored.page.recipients if self._lead_to(each, places)]

    def _lead_to(self, recipient: Recipient, places: Collection[str]) -> bool:
        key, message = recipient.key, recipient.message
        if key == NOBODY:
            return False
        is_theirs = message is not None and self._is_theirs(message)
        return is_theirs or key in places or bool(digits_in(key) & self.digits)

    def _is_theirs(self, message: Message) -> bool:
        return message.conversation in self.digits or message.activity.startswith(self.activities)


def places_in(to: Any, ids: Collection[str]) -> frozenset[str]:
    """Return the places on pages of those in a notification's `to` who have one of these ids."""
    named = enumerate(_each(to))
    return frozenset(place_of(number) for number, each in named if _is(each, ids))


def without(to: Any, ids: Collection[str]) -> list[Any]:
    """Return a notification's `to` as a list in which those with these ids are forgotten."""
    return [dict(FORGOTTEN) if _is(each, ids) else each for each in _each(to)]


def _each(to: Any) -> list[Any]:
    return to if isinstance(to, list) else [to]


def _is(to: dict[str, Any], ids: Collection[str]) -> bool:
    return to.get("user") in ids or to.get("conversation") in ids
