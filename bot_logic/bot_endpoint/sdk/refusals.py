"""What a channel means when it refuses: told by the status and its own word for the error."""

from http import HTTPStatus
from typing import Final

from bot_logic.errors import (
    ActivityGone,
    AppNotInstalled,
    AskedToWait,
    ConversationBlocked,
    ConversationGone,
    ProactiveBotError,
    Refused,
    ServiceUnavailable,
)

# Status and code that tell of a conversation, or that a message is not there any more. Only a
# channel that does not know a conversation ends it; whoever blocked the bot may let it in again,
# and nobody tells us when.
# https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability#status-codes-from-bot-conversational-apis
_KNOWN: Final[dict[tuple[int, str], type[Refused]]] = {
    (403, "BotDisabledByAdmin"): ConversationBlocked,
    (403, "BotNotInConversationRoster"): ConversationBlocked,
    (403, "ConversationBlockedByUser"): ConversationBlocked,
    (403, "ForbiddenOperationException"): ConversationBlocked,  # not installed for this person
    (404, "ActivityNotFound"): ActivityGone,  # the local Direct Line's word
    (404, "ActivityNotFoundInConversation"): ActivityGone,
    (404, "ConversationNotFound"): ConversationGone,
    # https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages#understand-who-blocked-muted-or-uninstalled-a-bot
    (403, "MessageWritesBlocked"): ConversationBlocked,
    # "Tenant is disabled": https://github.com/MicrosoftDocs/bot-docs/issues/1960
    (403, "TenantNoPermission"): ConversationBlocked,
}
# Teams' answers to who begins a conversation with somebody for whom the app is not installed: the
# documented one, the older one, and the one that is met in practice, "Bot is not installed in
# user's personal scope". https://github.com/OfficeDev/microsoft-teams-apps-company-communicator/issues/744
_NOT_INSTALLED: Final = (
    (403, "BadArgument"),
    (403, "BotNotInConversationRoster"),
    (403, "ForbiddenOperationException"),
)
_RETRYABLE: Final = (
    HTTPStatus.UNAUTHORIZED,  # a token that has just expired, or a service's bad moment
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,  # Teams: two posts at once
    HTTPStatus.LOCKED,
    HTTPStatus.TOO_EARLY,
)
_NEVER: Final = HTTPStatus.NOT_IMPLEMENTED  # the channel has no such call
_IN_BETWEEN: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


def meaning_of(status: int, code: str, wait: int | None) -> ProactiveBotError:
    """Return the error that says what to do after a channel's refusal.

    Args:
        status: the HTTP status, 300 or more.
        code: the channel's own word for the error, or "".
        wait: seconds that it asked us to wait, if it did.
    """
    what = f"the channel answered {status} {code}".rstrip()
    known = _KNOWN.get((status, code))
    if known is not None:
        return known(what)
    if status == HTTPStatus.TOO_MANY_REQUESTS or wait is not None:
        return AskedToWait(what, retry_after=wait)
    if status in _RETRYABLE or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != _NEVER):
        return ServiceUnavailable(what)
    if status in _IN_BETWEEN and not code:  # a channel would say why, a proxy does not
        return ServiceUnavailable(what)
    return Refused(what)


def meaning_at_creation(status: int, code: str, wait: int | None) -> ProactiveBotError:
    """Return the error that says what to do when the bot may not begin a conversation.

    Args:
        status: the HTTP status, 300 or more.
        code: the channel's own word for the error, or "".
        wait: seconds that it asked us to wait, if it did.
    """
    if (status, code) in _NOT_INSTALLED:
        return AppNotInstalled(f"the app is not installed for this person ({status} {code})")
    return meaning_of(status, code, wait)
