"""Work out anew what each combination of parameters makes; the difference shows what changes.

make infra-snapshots
"""

from tests.infra.tools import COMBINATIONS, snapshot

if __name__ == "__main__":
    for combination in COMBINATIONS:
        snapshot(combination, "overwrite")
