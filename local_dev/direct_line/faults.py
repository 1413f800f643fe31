"""Faults on demand: how a test makes this service fail without touching the code under test."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from local_dev.direct_line.wire import ApiError, JsonObject


@dataclass
class Rule:
    """When to fail, and how.

    Attributes:
        on: The operation: the name of a request handler, such as ``post_activity``.
        status: The HTTP status to answer with; 0 delays only.
        code: The error code in that answer.
        headers: Extra headers of that answer, such as Retry-After.
        delay: How long to wait before answering, in seconds.
        times: How often to fail before the rule is spent; 0 is always.
        probability: How likely each request fails, from 0 to 1.
        seed: Makes the sequence of a probability repeatable.
        after: Do the work first, then answer with the fault.
        hits: How often it has failed so far.
    """

    on: str
    status: int = 0
    code: str = "ServiceError"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    times: int = 0
    probability: float = 1.0
    seed: int = 0
    after: bool = False
    hits: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - chance, not cryptography

    def strikes(self, operation: str) -> bool:
        """Decide about one request, and count it if it fails."""
        spent = self.times and self.hits >= self.times
        if operation != self.on or spent or self._random.random() >= self.probability:
            return False
        self.hits += 1
        return True


class Faults:
    """The rules in force. The first one that strikes decides."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def pick(self, operation: str) -> Rule | None:
        """Return the rule that strikes a request, if any."""
        return next((rule for rule in self.rules if rule.strikes(operation)), None)

    def listing(self) -> list[JsonObject]:
        """Return the rules with their hits, as JSON."""
        return [asdict(rule) for rule in self.rules]


KINDS: dict[str, tuple[type, ...]] = {
    "on": (str,),
    "status": (int,),
    "code": (str,),
    "headers": (dict,),
    "delay": (int, float),
    "times": (int,),
    "probability": (int, float),
    "seed": (int,),
    "after": (bool,),
}


def parse_rule(source: JsonObject, operations: frozenset[str]) -> Rule:
    """Read a rule from JSON.

    Raises:
        ApiError: 400 naming the field.
    """
    for name, value in source.items():
        if not isinstance(value, KINDS.get(name, ())):
            raise ApiError(400, "BadArgument", f"{name} is no field of a fault, or of wrong type.")
    if source.get("on") not in operations:
        raise ApiError(400, "BadArgument", f"on must be one of {', '.join(sorted(operations))}.")
    return Rule(**source)
