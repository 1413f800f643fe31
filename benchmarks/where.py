"""Where the CPU time of the template's turn goes, as py-spy samples it under load.

    make profile        prints the shares, and draws docs/images/profile.png

Each sample counts for the first of `PARTS` that has a frame in it, so what a part calls is its own.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.activities import Sayings
from benchmarks.channel import Channel
from benchmarks.load import Load
from benchmarks.plan import Plan
from benchmarks.programs import PEERS_PYTHON, ROOT, Program, measuring_core, running
from benchmarks.raw_http import serving
from benchmarks.settings import SETTINGS
from benchmarks.storage import existing_queue, storage_emulator
from bot_logic.envelope import QUEUE_NAME

SECONDS = 10
SAMPLES = 250  # a second
PARTS = (
    ("requests to queue and table", "bot_logic/storage_requests.py"),
    ("sends to the channel", "bot_endpoint/connector.py"),
    ("this app and the bot SDK", "bot_logic/"),
    ("web server, in the host's place", "aiohttp/web"),
    ("event loop, sockets, HTTP parsing", ""),
)


def shares(stacks: str) -> dict[str, float]:
    """The share of each part, from py-spy's raw format: a line is frames, and how often."""
    counts: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        part = next(name for name, path in PARTS if path in frames)
        counts[part] += int(count)
    return {name: counts[name] / counts.total() for name, _ in PARTS}


async def sample(raw: Path) -> None:
    """Write the stacks of the app while users talk to it."""
    channel, plan = Channel(), Plan()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(channel))
        connection = await stack.enter_async_context(storage_emulator())
        await stack.enter_async_context(existing_queue(connection, QUEUE_NAME))
        settings = {**SETTINGS, "AzureWebJobsStorage": connection}
        app = await stack.enter_async_context(running(Program("benchmarks.ours.app", (), settings)))
        load, sayings = Load(app.url, plan.connections), Sayings(url, "")
        await load.run(sayings, plan.warm_up)
        spy = await asyncio.create_subprocess_exec(
            *(
                PEERS_PYTHON.with_name("py-spy"),
                "record",
                "--pid",
                str(app.pid),
                "--full-filenames",
            ),
            *("--format", "raw", "--output", raw),
            *("--duration", str(SECONDS), "--rate", str(SAMPLES)),
        )
        await load.run(sayings, SECONDS + plan.warm_up)
        await spy.wait()


def main() -> int:
    """Sample, print and draw."""
    if (core := measuring_core()) is not None:
        os.sched_setaffinity(0, {core})
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "stacks")
        asyncio.run(sample(raw))
        found = shares(raw.read_text())
    for name, share in found.items():
        sys.stdout.write(f"{share:6.1%}  {' '.join(name.split())}\n")
    subprocess.run(  # noqa: S603 - our own program
        [PEERS_PYTHON, "-m", "benchmarks.peers.profile_plot", "docs/images/profile.png"],
        cwd=ROOT,
        check=True,
        input=json.dumps(found),
        text=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
