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
        messages: in one proactive round, and in the rows that count messages.
        imports: how many fresh processes import each.
        conversations: how many are stored, one after the other, in the growth row.
        backlog: how many messages wait on the queue, one after the other, in the growth row.
    """

    rounds: int = 11
    seconds: float = 1.0
    warm_up: float = 0.3
    connections: int = 16
    messages: int = 1000
    imports: int = 15
    conversations: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    backlog: tuple[int, ...] = (10, 100, 1_000, 10_000)


QUICK = Plan(
    rounds=1,
    seconds=0.4,
    warm_up=0.1,
    messages=60,
    imports=1,
    conversations=(10, 100),
    backlog=(10, 50),
)
