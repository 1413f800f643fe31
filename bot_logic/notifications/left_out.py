"""Whom a broadcast leaves out of a page: who said stop, and who has lately blocked the bot."""

from bot_logic.conversations.audiences import recipient_in
from bot_logic.conversations.skips import Skipped, Skips
from bot_logic.notifications.outcomes import Outcome, outcome_of_block
from bot_logic.notifications.page import Page, Recipient


async def left_out(page: Page, skips: Skips) -> list[Recipient]:
    """Return a page's recipients, each that is open and to be left out with its outcome.

    Raises:
        ServiceUnavailable: the table cannot be reached.
    """
    still_open = [each for each in page.recipients if each.outcome == Outcome.OPEN]
    skipped = await skips.among(_name(each) for each in still_open)
    return [_ended(each, skipped, asks_again=page.retried) for each in page.recipients]


def _ended(recipient: Recipient, skipped: Skipped, *, asks_again: bool) -> Recipient:
    name = _name(recipient)
    if recipient.outcome != Outcome.OPEN:
        return recipient
    if name in skipped.opted_out:
        return recipient.ended(Outcome.OPTED_OUT, "said stop")
    if name in skipped.blocked and not asks_again:
        reason = skipped.blocked[name]
        return recipient.ended(outcome_of_block(reason), f"{reason}, not asked again")
    return recipient


def _name(recipient: Recipient) -> str:
    return recipient_in(recipient.key.partition("/")[2])
