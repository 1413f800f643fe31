"""The template's turn through the real Functions worker: how much of a turn is not ours."""

import importlib.util

from benchmarks.outcome import Outcome, WrongWork, compared
from benchmarks.plan import Plan
from benchmarks.programs import CannotMeasure, Program
from benchmarks.rows.turn import TurnScene, turn_scene
from benchmarks.turns import UNIT, Talk, talk_in_turns
from bot_logic.contract.envelope import QUEUE_NAME
from local_dev.programs import ROOT

WORKER = "benchmarks.ours.worker"


class EmptyTalk(Talk):
    """Rounds of calling a function that does nothing."""

    async def check(self, numbers: range) -> None:
        """Raise WrongWork if something was said."""
        if said := len(self.about.channel):
            raise WrongWork(f"{self.who}: {said} answers to {len(numbers)} messages, not 0")


async def measure(plan: Plan) -> list[Outcome]:
    """Measure "turn_worker".

    Raises:
        CannotMeasure: the worker is not installed.
    """
    if importlib.util.find_spec("azure_functions_runtime") is None:
        raise CannotMeasure("the Functions worker is a package for Python 3.13 and later")
    async with turn_scene() as scene:
        ours = await scene.talk("ours", WORKER, QUEUE_NAME, str(ROOT))
        rates = await talk_in_turns([ours, await _empty(scene)], plan)
    return [compared("turn_worker", UNIT, rates["ours"], rates["empty"])]


async def _empty(scene: TurnScene) -> EmptyTalk:
    folder = str(ROOT / "benchmarks/ours/empty_app")
    program = Program(WORKER, (folder,), scene.settings)
    return EmptyTalk("empty", await scene.run(program), scene.about)
