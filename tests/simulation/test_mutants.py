"""The simulation finds faults: each of these, put into the code, makes a bad day go wrong."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEDS = 400
# Where the days begin that find a mutant which needs rare weather: three of a thousand do.
FIRST = {"a dead letter stays although its message was delivered": 700}
RECORD = "delivery/record.py"
RECORDS = "delivery/idempotency.py"
NOTES = "delivery/notes.py"
REDELIVERY = "delivery/redelivery.py"
WORKER = "queue_worker/worker.py"
TRIGGER = "bot_endpoint/trigger.py"
STORE = "delivery/dead_letter_store.py"

MUTANTS = {
    "a delivery is not noted": (
        RECORDS,
        "not await self._notes.settle(claim, ended)",
        "False",
    ),
    "a note is tried once": (
        NOTES,
        "if self._clock.now() + pause >=",
        "if self._clock.now() >= 0 or 0 >=",
    ),
    "a lease does not hold": (RECORDS, "if record.is_leased(self._clock.now()):", "if False:"),
    "a write ignores the ETag": (
        NOTES,
        "await self._table.replace(digest_key(claim.key), record.to_row(), claim.etag)",
        "await self._table.put(digest_key(claim.key), record.to_row())",
    ),
    "an end is no end": (RECORDS, "if record.status.is_final:", "if False:"),
    "a lease is over at once": (
        RECORDS,
        "int(self._clock.now()) + LEASE",
        "int(self._clock.now())",
    ),
    "a failed message is not put back": (
        REDELIVERY,
        "await self._queue.put(failed.to_json(), delay=delay)",
        "pass",
    ),
    "a message that is given up is dropped": (
        REDELIVERY,
        "await self._poison_queue.put(dead_letter(failed, reason, self._clock.now()))",
        "pass",
    ),
    "the worker swallows an error": (
        WORKER,
        "await self.redelivery.after_failure(envelope, error)",
        "pass",
    ),
    "the trigger handler swallows an error": (
        TRIGGER,
        "await self.redelivery.after_failure(envelope, error)",
        "pass",
    ),
    "what was sent of a failed message is not noted": (RECORD, "_bounded(self.done)", '"[]"'),
    "a failed message begins anew": (RECORDS, "done = list(claim.record.done)", "done = []"),
    "every copy is a superseded one": (RECORD, "return attempt <= self.attempt", "return True"),
    "an attempt is used up by being asked to wait": (
        RECORDS,
        "begun = isinstance(error, PermanentError) or error.is_failed_attempt",
        "begun = True",
    ),
    "an attempt may begin before its message is put back": (
        RECORDS,
        "await on_failure(error)\n",
        "await self._release(claim, done, begun=True); await on_failure(error)\n",
    ),
    "a dead letter is filed whatever became of it": (
        STORE,
        "ending = await self._records.once(letter.key, put, end=Status.DEAD_LETTERED)",
        "await put([]); return",
    ),
    "a dead letter stays although its message was delivered": (
        STORE,
        "if ending.status == Status.DELIVERED:",
        "if False:",
    ),
    "what cannot be filed yet is dropped": (
        STORE,
        "await self._poison_queue.put(plain_text(body), delay=LEASE)",
        "pass",
    ),
    "a delivery takes no lease": (
        RECORDS,
        "claim = await self._claim(key, attempt)",
        "await act([]); return Ending(end, now=True)",
    ),
}


PLANNER = "notifications/planner.py"
STORE_OF_PAGES = "notifications/store.py"
PAGE = "notifications/page.py"
SENDER = "bot_endpoint/pages/run.py"
JOBS = "queue_worker/lanes/jobs.py"

OF_NOTIFICATIONS = {  # and which test finds it
    "planning goes on one too early": (
        (
            PLANNER,
            "return pages, _Place(place.partition, last)",
            "return pages, _Place(place.partition, last[:-1])",
        ),
        "planning",
    ),
    "planning goes on too late": (
        (PLANNER, "return pages[:most]", "return pages[: most - 1]"),
        "planning",
    ),
    "a page's lease does not hold": (
        (PAGE, "return now < self.lease_until", "return False"),
        "page_senders",
    ),
    "a claim is no fence": (
        (
            STORE_OF_PAGES,
            "etag = await self._table.replace(stored.key, page.to_row(), stored.etag)",
            'etag = ""; await self._table.put(stored.key, page.to_row())',
        ),
        "page_senders",
    ),
    "what became of a page is noted once": (
        (
            SENDER,
            "if self._clock.now() + NOTED_EVERY >= self._stored.page.lease_until:",
            "if True:",
        ),
        "notification_days",
    ),
    "a lost answer leaves the page to others": (
        (SENDER, "if found is None or found.page != before:", "if True:"),
        "page_senders",
    ),
    "a pause is forgotten": (
        (SENDER, "paused_until=self._paused_until,", "paused_until=0.0,"),
        "pacing",
    ),
    "two pumps may work in a lane": (
        (STORE_OF_PAGES, 'if now < int(found.columns["until"]):', "if False:"),
        "pacing",
    ),
    "the timer wakes nobody": (
        ("queue_worker/lanes/wake_ups.py", "await self.queue.put(wake_up(lane=lane_id))", "pass"),
        "notification_days",
    ),
    "who is few waits like the many": (
        (JOBS, "return 0 < self.work.size <= FEW", "return False"),
        "pacing",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found(name: str, tmp_path: Path) -> None:
    first = FIRST.get(name, 0)
    seeds = str(first), str(first + SEEDS)
    run = _on_a_mutant(tmp_path, MUTANTS[name], "tests.simulation", *seeds)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "python -m tests.simulation" in run.stdout


@pytest.mark.parametrize("name", OF_NOTIFICATIONS)
def test_a_mutant_of_notifications_is_found(name: str, tmp_path: Path) -> None:
    mutant, test = OF_NOTIFICATIONS[name]
    run = _on_a_mutant(
        tmp_path,
        mutant,
        *("pytest", "-x", "-q", "-p", "no:cacheprovider", f"tests/simulation/test_{test}.py"),
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "AssertionError" in run.stdout or "assert " in run.stdout, run.stdout


def _on_a_mutant(
    folder: Path, mutant: tuple[str, str, str], *module: str
) -> subprocess.CompletedProcess[str]:
    """Run a module on a copy of the code in which one place is wrong."""
    file, right, wrong = mutant
    shutil.copytree(ROOT / "bot_logic", folder / "bot_logic")
    shutil.copytree(ROOT / "tests" / "simulation", folder / "tests" / "simulation")
    shutil.copy(ROOT / "tests" / "virtual_time.py", folder / "tests")
    shutil.copy(ROOT / "pyproject.toml", folder)  # which says how tests run
    mutated = folder / "bot_logic" / file
    text = mutated.read_text()
    assert text.count(right) == 1, f"{file} no longer has: {right}"
    mutated.write_text(text.replace(right, wrong))
    return subprocess.run(
        [sys.executable, "-m", *module],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
