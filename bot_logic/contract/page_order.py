"""The order to send a page of a notification, as a trigger carries it: ids and a pace."""

from dataclasses import dataclass
from typing import Any, Self

from bot_logic.contract.envelope import is_traceparent
from bot_logic.errors import UndecodableMessage


@dataclass(frozen=True, slots=True)
class PageOrder:
    """Which page the bot is to send, and how fast.

    Attributes:
        notification: its id.
        page: the page's row key.
        per_second: messages a second, evenly spaced; 0 for as fast as it goes.
        seconds: for which no further message is begun after them.
        traceparent: W3C Trace Context of the post, or "": Direct Line passes on no header.
    """

    notification: str
    page: str
    per_second: float
    seconds: float
    traceparent: str = ""

    def to_document(self) -> dict[str, Any]:
        """Return the order as a JSON object."""
        return {
            "notification": self.notification,
            "page": self.page,
            "perSecond": self.per_second,
            "seconds": self.seconds,
            **({"traceparent": self.traceparent} if self.traceparent else {}),
        }

    @classmethod
    def of(cls, document: Any) -> Self:
        """Read an order.

        Raises:
            UndecodableMessage: it is none.
        """
        match document:
            case {
                "notification": str(notification),
                "page": str(page),
                "perSecond": int() | float() as per_second,
                "seconds": int() | float() as seconds,
            }:
                given = document.get("traceparent", "")
                traceparent = given if is_traceparent(given) else ""
                return cls(notification, page, float(per_second), float(seconds), traceparent)
        raise UndecodableMessage("is not an order to send a page", field="page")
