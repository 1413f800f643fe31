"""A dialog that takes an order: which pizza, are you sure, done. `order` begins it.

It needs `botbuilder-dialogs`, which the app does not. docs/dialogs.md says how to make it your own,
and what dialogs may keep; `order_bot.py` is a bot that has it.
"""

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

from bot_logic.bot_endpoint import Outbox
from bot_logic.bot_endpoint.spoken import spoken_text
from bot_logic.bot_endpoint.turn_states import conversation_state

PIZZAS = ("Margherita", "Funghi", "Diavola")


class OrderDialog(ComponentDialog):
    """Asks which pizza, lets the user confirm it, and puts the order on the queue."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__("order")
        self._outbox = outbox
        self.add_dialog(WaterfallDialog("steps", [self._which, self._confirm, self._done]))
        self.add_dialog(ChoicePrompt("pizza"))
        self.add_dialog(ConfirmPrompt("sure"))

    async def answer(self, turn: TurnContext) -> bool:
        """Begin at the word `order`, or go on in what was begun; else return False."""
        where = conversation_state(turn).create_property("dialogs")
        kept = await where.get(turn)
        is_begun = kept is not None and bool(kept.dialog_stack)
        if not is_begun and spoken_text(turn.activity).casefold() != "order":
            return False
        await DialogExtensions.run_dialog(self, turn, where)
        return True

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
