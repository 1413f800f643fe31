"""A card's button comes back to a method of the bot: docs/cards.md.

`button` makes it, `@on_button` marks the method, and `ButtonHandler` brings the two together.
"""

from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, ClassVar, Final, TypeVar

from botbuilder.core import ActivityHandler, TurnContext

from bot_logic.bot_endpoint.presses import Answer, Card, Press, answer, message_with, press_in
from bot_logic.bot_endpoint.sdk.card_actions import EXECUTE, VERB
from bot_logic.telemetry.log_events import Event, EventLog, fingerprint

__all__ = ["Answer", "ButtonHandler", "Card", "button", "message_with", "on_button"]

UNKNOWN: Final = "This button does nothing any more."

_CLAIMS: Final = "claims_verb"  # the attribute of a method that `on_button` has marked

BotType = TypeVar("BotType")
Method = Callable[[BotType, TurnContext, dict[str, Any]], Awaitable[Answer]]

log = EventLog(__name__)


def button(title: str, verb: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make a button for the `actions` of an Adaptive Card.

    Args:
        title: what stands on it.
        verb: whose method is called, `@on_button(verb)`.
        data: what that method gets, besides what was typed into the card.

    Raises:
        ValueError: the data has a `verb`.
    """
    if data and VERB in data:
        raise ValueError(f"a button's data has no {VERB!r} of its own")
    return {"type": EXECUTE, "title": title, "verb": verb, "data": dict(data or {})}


def on_button(verb: str) -> Callable[[Method[BotType]], Method[BotType]]:
    """Mark the method of a bot that is called when somebody presses a button with this verb.

    The method gets the turn and the button's data, which is the client's word. It returns a card
    that replaces the button's, or a text to show, or None. It has `PRESS_TIMEOUT` seconds.

    Raises:
        TypeError: it is not `async`, or has a verb already.
    """

    def mark(method: Method[BotType]) -> Method[BotType]:
        if not iscoroutinefunction(method):
            raise TypeError(f"what @on_button({verb!r}) marks must be an async method")
        if hasattr(method, _CLAIMS):
            raise TypeError(f"@on_button({verb!r}): the method has a verb already")
        setattr(method, _CLAIMS, verb)
        return method

    return mark


class ButtonHandler(ActivityHandler):
    """Calls the method that claims a button's verb.

    Attributes:
        buttons: the name of the method for each verb.
    """

    buttons: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.buttons = _claimed(cls)

    async def on_turn(self, turn_context: TurnContext) -> None:
        """Take a turn; if it is a press, answer it."""
        press = press_in(turn_context.activity)
        if press is None or self._has_another_way(press):
            await super().on_turn(turn_context)
        elif press.verb in self.buttons:
            method = getattr(self, self.buttons[press.verb])
            await answer(turn_context, press, await method(turn_context, press.data))
        else:
            conversation = fingerprint(turn_context.activity.conversation.id)
            log.info(Event.BUTTON_UNKNOWN, conversation=conversation, known=" ".join(self.buttons))
            await answer(turn_context, press, UNKNOWN)

    def _has_another_way(self, press: Press) -> bool:
        """Tell whether a press is for the SDK's own method, which this bot has."""
        own = type(self).on_adaptive_card_invoke is not ActivityHandler.on_adaptive_card_invoke
        return own and press.waits and press.verb not in self.buttons


def _claimed(bot: type) -> dict[str, str]:
    """Return the method that claims each verb; one that overrides another needs no mark.

    Raises:
        TypeError: two methods claim one verb.
    """
    methods: dict[str, str] = {}
    for each in reversed(bot.__mro__):
        for name, member in vars(each).items():
            verb = getattr(member, _CLAIMS, None)
            if verb is not None and methods.setdefault(verb, name) != name:
                other = methods[verb]
                raise TypeError(f"{bot.__name__}: {other} and {name} both claim the verb {verb!r}")
    return methods
