"""Work out anew what each combination of parameters makes; the difference shows what changes.

make infra-snapshots
"""

import json
from pathlib import Path

from tests.infra.tools import COMBINATIONS, snapshot


def put_in_order(kept: Path) -> None:
    """Sort the outputs, which the compiler writes in another order each time."""
    made = json.loads(kept.read_text())
    made["outputs"] = dict(sorted(made["outputs"].items()))
    kept.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    for combination in COMBINATIONS:
        snapshot(combination, "overwrite")
        put_in_order(combination.with_suffix(".snapshot.json"))
