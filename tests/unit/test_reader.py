"""A command whose reader stops, as in `... | head`, ends without a word."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

ROOT = Path(__file__).parents[2]
SAYING = "from bot_logic.admin.reader import for_a_reader; import sys; "


OF_A_LIST = {"created": "", "state": "done", "recipients": 1, "counts": {}, "to": {"all": True}}


async def many(_request: web.Request) -> web.Response:
    listed = [{"id": str(number), **OF_A_LIST} for number in range(10_000)]
    return web.json_response({"notifications": listed})


def ended(command: list[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run Python with a stdout that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("length", [1, 1_000_000], ids=["at its end", "in the middle"])
def test_a_command_that_nobody_reads_says_nothing_of_it(length: int) -> None:
    write = f"for_a_reader(lambda: sys.stdout.write('x' * {length}))"
    done = ended(["-c", f"{SAYING}sys.exit({write})"])
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_program_of_ours_that_nobody_reads_says_nothing_of_it() -> None:
    call = "from bot_logic.admin.surroundings import carry_out; import asyncio, sys; "
    work = "sys.exit(carry_out(lambda _: asyncio.to_thread(print, 'x' * 1000000)))"
    done = ended(["-c", call + work], AzureWebJobsStorage="UseDevelopmentStorage=true")
    assert (done.returncode, done.stderr) == (141, b"")


async def test_the_operators_commands_are_ended_by_head_without_a_word() -> None:
    server = web.Application()
    server.router.add_get("/api/notifications", many)
    async with TestServer(server) as listening:
        command = ["-m", "bot_logic.notifications", "list", "--url", str(listening.make_url("/"))]
        done = await asyncio.to_thread(ended, command)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_status_of_a_command_that_is_read_is_its_own() -> None:
    command = [sys.executable, "-c", f"{SAYING}sys.exit(for_a_reader(lambda: 3))"]
    assert subprocess.run(command, cwd=ROOT, timeout=30, check=False).returncode == 3
