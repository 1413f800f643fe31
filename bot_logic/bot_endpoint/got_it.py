"""The button "Got it": put on what a notification sends, and noted when it is pressed.

It works for every bot: a press is taken before the bot sees it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botbuilder.core import CardFactory, Middleware, TurnContext
from botbuilder.schema import Activity, Attachment

from bot_logic.bot_endpoint.buttons import UNKNOWN, button
from bot_logic.bot_endpoint.presses import Answer, Press, answer, press_in
from bot_logic.bot_endpoint.sdk.activity_json import check_outgoing
from bot_logic.bot_endpoint.sdk.card_actions import ADAPTIVE_CARD, SUBMIT, VERB
from bot_logic.bot_endpoint.sdk.model_json import read, write
from bot_logic.bot_endpoint.sdk.turn_context import copy
from bot_logic.conversations.audiences import Lane
from bot_logic.conversations.threads import without_thread
from bot_logic.notifications.notification import Notification
from bot_logic.notifications.page import Recipient, page_key
from bot_logic.notifications.receipts import Receipt, Receipts

GOT_IT: Final = "proactiveBot.gotIt"  # the verb

MAX_SUMMARY: Final = 200  # characters, of what a phone shows of a message that came
_VERSION: Final = "1.4"  # of Adaptive Cards, from which on there is Action.Execute


@dataclass(frozen=True, slots=True)
class GotIt:
    """The button on a page of a notification.

    Attributes:
        title: what stands on it.
        notification: the id of the one that was sent, also if this one edits it.
        page: the page's row key.
    """

    title: str
    notification: str
    page: str

    def on(self, activity: Activity, recipient: Recipient) -> Activity:
        """Return what is sent to a recipient: with the button."""
        data = Receipt.of(self.notification, self.page, recipient).to_data()
        action = button(self.title, GOT_IT, data)
        older = {"type": SUBMIT, "title": self.title, "data": {**data, VERB: GOT_IT}}
        return _with(activity, "actions", {**action, "fallback": older})


def as_sent(activity: Mapping[str, Any], acknowledge: str) -> Mapping[str, Any]:
    """Return an activity as recipients get it, with a button of this title unless it is empty.

    Raises:
        BadRequest: 400, it is malformed; its field begins with `activity`.
    """
    check_outgoing(activity)
    if not acknowledge:
        return activity
    example = GotIt(acknowledge, "0" * 32, page_key(Lane("", ""), 0))
    return write(example.on(read(Activity, dict(activity)), Recipient("")))


class TakesReceipts(Middleware):
    """Takes presses of the button, of which the bot hears nothing."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[Any]]) -> None:
        """Answer a press, or let the turn run."""
        press = press_in(context.activity)
        if press is None or press.verb != GOT_IT:
            await logic()
            return
        receipt = Receipt.read(press.data)
        conversation_id = without_thread(context.activity.conversation.id)
        confirmed = receipt and await self._receipts.take(receipt, conversation_id)
        await answer(context, press, _noted(press, confirmed) if confirmed else UNKNOWN)


def _noted(press: Press, notification: Notification) -> Answer:
    """Return the card without its button, or a text where the channel cannot replace it."""
    said = f"✓ {notification.acknowledge}"
    if not (press.waits or press.card):
        return said
    activity = read(Activity, dict(notification.activity))
    shown = _with(activity, "body", {"type": "TextBlock", "text": said, "isSubtle": True})
    card: dict[str, Any] = _card_of(shown.attachments or [])[1]
    return card


def _with(activity: Activity, where: str, part: dict[str, Any]) -> Activity:
    """Return an activity with one part more in its Adaptive Card; if it has none, it gets one."""
    changed = copy(activity)
    attachments = list(activity.attachments or [])
    if not attachments and activity.text:
        changed.text, changed.summary = None, activity.summary or activity.text[:MAX_SUMMARY]
        attachments = [_card([{"type": "TextBlock", "text": activity.text, "wrap": True}])]
    place, card = _card_of(attachments)
    if place == len(attachments):
        attachments.append(_card([]))
    parts = card.get(where)
    card = {**card, where: [*(parts if isinstance(parts, list) else []), part]}
    attachments[place] = CardFactory.adaptive_card(card)
    changed.attachments = attachments
    return changed


def _card_of(attachments: list[Attachment]) -> tuple[int, dict[str, Any]]:
    """Return the place of the first Adaptive Card and its JSON; at the end a new one."""
    for place, each in enumerate(attachments):
        if each.content_type == ADAPTIVE_CARD and isinstance(each.content, dict):
            return place, each.content
    return len(attachments), _card([]).content


def _card(body: list[dict[str, Any]]) -> Attachment:
    return CardFactory.adaptive_card({"type": "AdaptiveCard", "version": _VERSION, "body": body})
