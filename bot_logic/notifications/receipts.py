"""Who has pressed "Got it": a row for each, in the notification's partition. The first counts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from bot_logic.clock import Clock
from bot_logic.conversations.audiences import Audiences, digits_of
from bot_logic.notifications.first_contact import behind
from bot_logic.notifications.notification import Notification
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.page import Recipient
from bot_logic.notifications.store import NotificationStore

_NOTIFICATION: Final = re.compile(r"[0-9a-f]{32}")
_PAGE: Final = re.compile(r"page-[0-9a-f]{16}-[0-9]{8}")
_RECIPIENT: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Whose button it is, as the button's data says; who presses may say anything.

    Attributes:
        notification: its id.
        page: the page's row key.
        recipient: digits that stand for the recipient's key.
    """

    notification: str
    page: str
    recipient: str

    @classmethod
    def of(cls, notification: str, page: str, recipient: Recipient) -> Self:
        """Return what a recipient's button says."""
        return cls(notification, page, recipient.digits)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self | None:
        """Read a button's data; None if no button of ours says this."""
        match data:
            case {"notification": str(notification), "page": str(page), "recipient": str(digits)}:
                known = _NOTIFICATION.fullmatch(notification) and _PAGE.fullmatch(page)
                if known and _RECIPIENT.fullmatch(digits):
                    return cls(notification, page, digits)
        return None

    def to_data(self) -> dict[str, str]:
        """Return the data of the button."""
        return {
            "notification": self.notification,
            "page": self.page,
            "recipient": self.recipient,
        }


@dataclass(frozen=True, slots=True)
class Receipts:
    """Takes what recipients confirm."""

    store: NotificationStore
    audiences: Audiences
    clock: Clock

    async def take(self, receipt: Receipt, conversation_id: str) -> Notification | None:
        """Note that a conversation has got a notification; None if it has not, or was not asked.

        Raises:
            ServiceUnavailable: a table cannot be reached.
        """
        head = await self.store.head(receipt.notification)
        if head is None or not head.notification.counts_receipts:
            return None
        page = await self.store.page(receipt.notification, receipt.page)
        for each in page.page.recipients if page else ():
            if each.digits == receipt.recipient:
                if not await self._is_theirs(head.notification, each, conversation_id):
                    return None
                moment = int(self.clock.now())
                await self.store.acknowledge(
                    receipt.notification, receipt.page, receipt.recipient, moment
                )
                return head.notification
        return None

    async def _is_theirs(
        self, notification: Notification, recipient: Recipient, conversation_id: str
    ) -> bool:
        """Tell whether it was sent to this conversation; what was sent just now, none has noted."""
        digits = recipient.message.conversation if recipient.message else ""
        if not digits and recipient.outcome in (Outcome.OPEN, Outcome.SENT):
            members = await behind(self.audiences, notification, [recipient.key])
            found = members.get(recipient.key)
            digits = digits_of(found.reference["conversation"]["id"]) if found else ""
        return digits == digits_of(conversation_id)
