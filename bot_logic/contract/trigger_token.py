"""How the bot knows that a trigger comes from its own queue worker.

Anyone with a Direct Line token, so each web-chat visitor, chooses the type, name, sender and value
of what they post. So the worker signs: the trigger's value is a JSON Web Token (RFC 7519) with
HMAC-SHA256 over the whole envelope, or over the order to send a page of a notification, bound to
the Direct Line conversation it is posted in and valid for minutes. Nothing here does I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from jwt.types import Options

from bot_logic.contract.envelope import Envelope, from_document, is_traceparent
from bot_logic.contract.page_order import PageOrder
from bot_logic.errors import ProactiveBotError, UndecodableMessage
from bot_logic.secret import Secret

LIFETIME: Final = 300  # seconds; a trigger is posted at once and waited for 15 seconds at most
CLOCK_LEEWAY: Final = 30  # seconds that the clocks of the two resources may differ
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "trigger-handler"
# PyJWT looks at the machine's clock; the times are checked here, by the clock that is handed in.
_OPTIONS: Final[Options] = {
    "require": ["aud", "exp", "iat", "conversation"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class TriggerRefused(ProactiveBotError):
    """A trigger is not the worker's, or no longer is; nothing may be sent because of it."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a trigger carries.

    Attributes:
        envelope: the message, as it was on the queue.
        traceparent: W3C Trace Context of the worker's post, or "": Direct Line passes on no header.
    """

    envelope: Envelope
    traceparent: str = ""


def sign(
    carried: Envelope | PageOrder,
    conversation_id: str,
    keys: Sequence[Secret],
    now: float,
    *,
    traceparent: str = "",
) -> dict[str, str]:
    """Make the value of the trigger that carries this in this Direct Line conversation.

    The traceparent is a claim, which a bot of an older version overlooks. A further field of the
    envelope it would refuse.
    """
    name = "envelope" if isinstance(carried, Envelope) else "page"
    claims = {
        "aud": _AUDIENCE,
        "iat": int(now),
        "exp": int(now) + LIFETIME,
        "conversation": conversation_id,
        name: carried.to_document(),
        **({"traceparent": traceparent} if traceparent else {}),
    }
    return {"token": jwt.encode(claims, keys[0].reveal(), _ALGORITHM)}


def verify(
    value: Any, conversation_id: str, keys: Sequence[Secret], now: float
) -> Trigger | PageOrder:
    """Return what a trigger's value carries, if the worker signed it for this conversation.

    Args:
        value: the trigger activity's value; anything, it comes from outside.
        conversation_id: the Direct Line conversation in which the trigger arrived.
        keys: all the keys that are valid now.
        now: Unix time, seconds.

    Raises:
        NewerVersion: a worker of a newer version signed it.
        TriggerRefused: it is unsigned, altered, expired, signed with another key or posted in
            another conversation. The message says which.
    """
    token = value.get("token") if isinstance(value, dict) else None
    if not isinstance(token, str):
        raise TriggerRefused("the trigger is not signed")
    claims = _claims(token, keys)
    _check_times(claims, now)
    if claims["conversation"] != conversation_id:
        raise TriggerRefused("the trigger was signed for another conversation")
    try:
        if "page" in claims:
            return PageOrder.of(claims["page"])
        envelope = from_document(claims.get("envelope"), now=now)
    except UndecodableMessage as error:
        raise TriggerRefused(f"the trigger carries no envelope: {error}") from error
    traceparent = claims.get("traceparent", "")
    return Trigger(envelope, traceparent if is_traceparent(traceparent) else "")


def _claims(token: str, keys: Sequence[Secret]) -> dict[str, Any]:
    reason = "no signing key is known"
    for key in keys:
        try:
            return jwt.decode(
                token,
                key.reveal(),
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options=_OPTIONS,
            )
        except jwt.InvalidSignatureError:
            reason = "the trigger's signature is not the worker's"
        except (jwt.InvalidTokenError, RecursionError):
            raise TriggerRefused("the trigger's token is malformed") from None
    raise TriggerRefused(reason)


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued, expires = claims["iat"], claims["exp"]
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise TriggerRefused("the trigger's token is malformed")
    if issued > now + CLOCK_LEEWAY:
        raise TriggerRefused("the trigger is not valid yet")
    if expires <= now - CLOCK_LEEWAY:
        raise TriggerRefused("the trigger has expired")
