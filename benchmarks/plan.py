"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of all rows.

    Attributes:
        rounds: how often each program is measured, in turns with the others.
        seconds: how long one measurement lasts.
        warm_up: seconds before it, which do not count.
        connections: of the load generator, one request under way on each.
        messages: in one round of a row that counts messages.
        imports: how many fresh processes import each.
    """

    rounds: int = 11
    seconds: float = 1.0
    warm_up: float = 0.3
    connections: int = 16
    messages: int = 1000
    imports: int = 15


QUICK = Plan(rounds=1, seconds=0.4, warm_up=0.1, messages=60, imports=1)
