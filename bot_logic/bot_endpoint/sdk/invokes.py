"""Invokes at which the SDK would fail: answered as the protocol has it, before there is a turn.

https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md#invoke-activity
"""

from typing import Any, Final

from botbuilder.core import ActivityHandler
from botbuilder.core.serializer_helper import deserializer_helper
from botbuilder.schema import Activity, ActivityTypes, teams
from msrest.exceptions import DeserializationError  # type: ignore[attr-defined]

from bot_logic.bot_endpoint.sdk.card_actions import EXECUTE, VERB
from bot_logic.errors import BadRequest

CARD_ACTION: Final = "adaptiveCard/action"
# Methods that the SDK calls, and which its handler has not.
_HANDLERS: Final = {"signin/tokenExchange": "on_teams_signin_token_exchange"}
# As what the SDK's handler for Teams reads an invoke's value, before it calls the bot.
_READ_FOR_TEAMS: Final = {
    "fileConsent/invoke": "FileConsentCardResponse",
    "actionableMessage/executeAction": "O365ConnectorCardActionQuery",
    "composeExtension/queryLink": "AppBasedLinkQuery",
    "composeExtension/anonymousQueryLink": "AppBasedLinkQuery",
    "composeExtension/query": "MessagingExtensionQuery",
    "composeExtension/submitAction": "MessagingExtensionAction",
    "composeExtension/fetchTask": "MessagingExtensionAction",
    "composeExtension/querySettingUrl": "MessagingExtensionQuery",
    "task/fetch": "TaskModuleRequest",
    "task/submit": "TaskModuleRequest",
    "tab/fetch": "TabRequest",
    "tab/submit": "TabSubmit",
}


def check_invoke(activity: Activity, bot: Any) -> None:
    """Let pass what is no invoke, or one whose value the SDK can read.

    Raises:
        BadRequest: 400, naming the field at fault.
    """
    if activity.type != ActivityTypes.invoke:
        return
    if activity.name == CARD_ACTION:
        _check_action(_object(_object(activity.value, "value").get("action"), "value.action"))
    elif activity.name in _READ_FOR_TEAMS and _is_for_teams(bot):
        _check_readable(_READ_FOR_TEAMS[activity.name], _object(activity.value, "value"))


def _check_action(action: dict[str, Any]) -> None:
    if action.get("type") != EXECUTE:
        field = "value.action.type"
        raise BadRequest(f"{field} must be {EXECUTE}", field=field)
    if not isinstance(action.get(VERB, ""), str):
        field = "value.action.verb"
        raise BadRequest(f"{field} must be a string", field=field)
    if action.get("data") is not None:
        _object(action["data"], "value.action.data")


def _is_for_teams(bot: Any) -> bool:
    from botbuilder.core.teams import TeamsActivityHandler  # noqa: PLC0415 - 7 ms of a cold start

    return isinstance(bot, TeamsActivityHandler)


def _check_readable(model: str, value: dict[str, Any]) -> None:
    try:
        deserializer_helper(getattr(teams, model), value)
    except DeserializationError:
        raise BadRequest(f"value must be a {model} of Teams", field="value") from None


def is_unhandled(activity: Activity, bot: Any) -> bool:
    """Tell whether this is an invoke for a method that neither the bot nor the SDK has."""
    handler = _HANDLERS.get(activity.name) if activity.type == ActivityTypes.invoke else None
    if handler is None or hasattr(bot, handler):
        return False
    own = getattr(type(bot), "on_invoke_activity", None)
    return own is ActivityHandler.on_invoke_activity


def _object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{field} must be a JSON object", field=field)
    return value
