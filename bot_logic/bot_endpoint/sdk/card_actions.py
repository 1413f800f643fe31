"""A card's buttons in the form that a channel knows: `Action.Execute`, or else `Action.Submit`.

Web Chat shows a button for `Action.Execute`, and does nothing when it is pressed; a `fallback`
does not help, since it knows the type. https://github.com/microsoft/BotFramework-WebChat/issues/3844
"""

from typing import Any, Final

from botbuilder.schema import Attachment

ADAPTIVE_CARD: Final = "application/vnd.microsoft.card.adaptive"
EXECUTE: Final = "Action.Execute"
SUBMIT: Final = "Action.Submit"
VERB: Final = "verb"  # in the data of an `Action.Submit`, too, as Teams' own libraries have it

# https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model
_KNOW_EXECUTE: Final = frozenset({"msteams", "outlook", "m365extensions"})
_OF_EXECUTE_ONLY: Final = frozenset({VERB, "fallback"})


def with_known_actions(attachments: list[Attachment] | None, channel: str) -> Any:
    """Return attachments as the channel can take them; the given ones stay as they are."""
    if not attachments or channel in _KNOW_EXECUTE:
        return attachments
    return [
        _submitting(each) if each.content_type == ADAPTIVE_CARD else each for each in attachments
    ]


def _submitting(card: Attachment) -> Attachment:
    return Attachment(
        content_type=card.content_type, content=_with_submits(card.content), name=card.name
    )


def _with_submits(part: Any) -> Any:
    """Return a part of a card with `Action.Submit` for each `Action.Execute`, however deep."""
    if isinstance(part, list):
        return [_with_submits(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == EXECUTE:
        return _as_submit(part)
    return {name: _with_submits(inner) for name, inner in part.items()}


def _as_submit(action: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in action.items() if name not in _OF_EXECUTE_ONLY}
    if VERB not in action:
        return {**known, "type": SUBMIT}
    data = action.get("data")
    return {
        **known,
        "type": SUBMIT,
        "data": {**(data if isinstance(data, dict) else {}), VERB: action[VERB]},
    }
