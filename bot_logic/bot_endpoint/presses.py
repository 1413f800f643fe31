"""A press of a card's button: what comes of it, and how it is answered, by `Execute` or `Submit`.

`Action.Execute` comes as an invoke and waits for its answer; `Action.Submit` comes as a message.
https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeGuard

from botbuilder.core import CardFactory, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes
from botframework.connector import Channels

from bot_logic.bot_endpoint.sdk.card_actions import ADAPTIVE_CARD, VERB
from bot_logic.bot_endpoint.sdk.invokes import CARD_ACTION
from bot_logic.errors import Refused

Card = Mapping[str, Any]  # the JSON of an Adaptive Card
Answer = Card | str | None

FAILED: Final = "That did not work. Please try again later."

_MESSAGE: Final = "application/vnd.microsoft.activity.message"
_ERROR: Final = "application/vnd.microsoft.error"


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody has pressed a button.

    Attributes:
        verb: which.
        data: what the button brings, and what was typed into the card. It is the client's word.
        waits: whether the client waits for the answer: it is an `Action.Execute`.
        card: the id of the activity that is to be replaced by a card, or "".
    """

    verb: str
    data: dict[str, Any]
    waits: bool
    card: str = ""


def press_in(activity: Activity) -> Press | None:
    """Return the press that an activity tells of, if it does."""
    if activity.type == ActivityTypes.message:
        data = _fields(activity.value)
        verb = data.pop(VERB, None)
        return (
            Press(verb, data, waits=False, card=_replaceable(activity)) if _is_verb(verb) else None
        )
    if activity.type == ActivityTypes.invoke and activity.name == CARD_ACTION:
        action = _fields(_fields(activity.value).get("action"))
        verb, data = action.get(VERB), _fields(action.get("data"))
        return Press(verb, data, waits=True) if _is_verb(verb) else None
    return None


def message_with(card: Card) -> Activity:
    """Make the activity that shows an Adaptive Card."""
    return Activity(type=ActivityTypes.message, attachments=[CardFactory.adaptive_card(card)])


async def answer(turn: TurnContext, press: Press, what: Answer) -> None:
    """Show a card in place of the button's, say a text, or be content with the press.

    Raises:
        ProactiveBotError: the channel failed, or refused.
        TypeError: it is none of these.
    """
    if not (what is None or isinstance(what, str | Mapping)):
        raise TypeError(f"a press is answered by a card's JSON, a text or None, not {type(what)}")
    if press.waits:
        await _answer_invoke(turn, HTTPStatus.OK, *_typed(what))
    elif isinstance(what, str):
        await turn.send_activity(what)
    elif what is not None:
        await _show(turn, press, what)


async def apologise(turn: TurnContext, press: Press) -> None:
    """Say that it failed."""
    if press.waits:
        error = {"code": "BotError", "message": FAILED}
        await _answer_invoke(turn, HTTPStatus.INTERNAL_SERVER_ERROR, _ERROR, error)
    else:
        await turn.send_activity(FAILED)


def _fields(value: Any) -> dict[str, Any]:
    """Return a copy of a JSON object, or none of the fields that something else has."""
    return dict(value) if isinstance(value, dict) else {}


def _is_verb(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)


def _replaceable(activity: Activity) -> str:
    """Return the id of the card that was pressed, where the channel vouches for it.

    Teams does, and can replace it; Direct Line can do neither.
    https://github.com/microsoft/BotFramework-WebChat/issues/2426
    """
    return (activity.reply_to_id or "") if activity.channel_id == Channels.ms_teams else ""


def _typed(what: Answer) -> tuple[str, Any]:
    """Return an answer's type and value; an empty message is one that shows nothing."""
    return (ADAPTIVE_CARD, what) if isinstance(what, Mapping) else (_MESSAGE, what or "")


async def _answer_invoke(turn: TurnContext, status: HTTPStatus, kind: str, value: Any) -> None:
    body = {"statusCode": int(status), "type": kind, "value": value}
    response = InvokeResponse(status=int(HTTPStatus.OK), body=body)
    await turn.send_activity(Activity(type=ActivityTypes.invoke_response, value=response))


async def _show(turn: TurnContext, press: Press, card: Card) -> None:
    shown = message_with(card)
    if press.card:
        shown.id = press.card
        try:
            await turn.update_activity(shown)
        except Refused:  # it was deleted meanwhile
            pass
        else:
            return
    await turn.send_activity(shown)
