"""A bot that takes an order in a dialog: which pizza, are you sure, done.

It needs `botbuilder-dialogs`, which the app does not. docs/dialogs.md says how to make it your own,
and what dialogs may keep.
"""

from typing import Any

from botbuilder.core import MessageFactory, TurnContext
from botbuilder.dialogs import (
    ComponentDialog,
    DialogExtensions,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice
from botbuilder.dialogs.prompts import ChoicePrompt, ConfirmPrompt, PromptOptions

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import MessageCounter, Outbox
from bot_logic.bot_endpoint.spoken import message_of
from bot_logic.bot_endpoint.turn_states import conversation_state
from bot_logic.contract.envelope import Envelope

PIZZAS = ("Margherita", "Funghi", "Diavola")


class OrderDialog(ComponentDialog):
    """Asks which pizza, lets the user confirm it, and puts the order on the queue."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__("order")
        self._outbox = outbox
        self.add_dialog(WaterfallDialog("steps", [self._which, self._confirm, self._done]))
        self.add_dialog(ChoicePrompt("pizza"))
        self.add_dialog(ConfirmPrompt("sure"))

    async def _which(self, step: WaterfallStepContext) -> DialogTurnResult:
        options = PromptOptions(
            prompt=MessageFactory.text("Which pizza would you like?"),
            retry_prompt=MessageFactory.text("We do not have that one. Which would you like?"),
            choices=[Choice(name) for name in PIZZAS],
        )
        return await step.prompt("pizza", options)

    async def _confirm(self, step: WaterfallStepContext) -> DialogTurnResult:
        step.values["pizza"] = step.result.value
        question = MessageFactory.text(f"One {step.result.value}. Shall I order it?")
        return await step.prompt("sure", PromptOptions(prompt=question))

    async def _done(self, step: WaterfallStepContext) -> DialogTurnResult:
        if not step.result:
            await step.context.send_activity("Then not. Write again when you are hungry.")
            return await step.end_dialog()
        pizza = step.values["pizza"]
        await self._outbox.put(step.context, f"Your {pizza} is ready.", data={"pizza": pizza})
        await step.context.send_activity(f"One {pizza} is ordered. I tell you when it is ready.")
        return await step.end_dialog()


class OrderBot(ProactiveBot):
    """Talks to each user in the order dialog, and tells them when their pizza is ready."""

    def __init__(self, outbox: Outbox, counter: MessageCounter, **settings: Any) -> None:
        super().__init__(outbox, counter, **settings)
        self._dialog = OrderDialog(outbox)

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Begin the dialog, or go on where this conversation is in it."""
        where = conversation_state(turn).create_property("dialogs")
        await DialogExtensions.run_dialog(self._dialog, turn, where)

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        """Say what the kitchen says."""
        await turn.send_activity(message_of(envelope, f"🍕 {envelope.text}"))
