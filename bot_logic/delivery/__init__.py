"""How a message ends: delivered once, tried again later, or filed as a dead letter.

Both resources and the operator's commands use it. May import: storage, contract, errors, clock.
"""

from dataclasses import dataclass

from bot_logic.clock import Chance, Clock
from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.delivery.dead_letter_store import TABLE_NAME as DEAD_LETTERS
from bot_logic.delivery.dead_letter_store import DeadLetterStore
from bot_logic.delivery.host_gate import HostGate
from bot_logic.delivery.idempotency import TABLE_NAME as RECORDS
from bot_logic.delivery.idempotency import IdempotencyRecords
from bot_logic.delivery.redelivery import IsForgotten, Redelivery, is_never
from bot_logic.storage.protocols import Storage
from bot_logic.telemetry import OFF, Telemetry

__all__ = ["RECORDS", "Delivery", "build"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The parts that see to it that each message ends, and ends once."""

    records: IdempotencyRecords
    redelivery: Redelivery
    dead_letters: DeadLetterStore
    gate: HostGate


def build(
    storage: Storage,
    clock: Clock,
    chance: Chance,
    *,
    max_attempts: int,
    telemetry: Telemetry = OFF,
    is_forgotten: IsForgotten = is_never,
) -> Delivery:
    """Build the parts on one storage account."""
    queue, poison_queue = storage.queue(QUEUE_NAME), storage.queue(POISON_QUEUE_NAME)
    records = IdempotencyRecords(storage.table(RECORDS), clock)
    return Delivery(
        records=records,
        redelivery=Redelivery(
            queue,
            poison_queue,
            clock,
            chance,
            max_attempts=max_attempts,
            telemetry=telemetry,
            is_forgotten=is_forgotten,
        ),
        dead_letters=DeadLetterStore(
            storage.table(DEAD_LETTERS),
            records,
            queue,
            poison_queue,
            clock,
            telemetry=telemetry,
            is_forgotten=is_forgotten,
        ),
        gate=HostGate(clock, chance),
    )
