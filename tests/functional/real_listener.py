"""Microsoft's own queue listener as a process, calling functions in this process or another."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.functions.meta import Datum

from local_dev.ports import free_ports
from local_dev.programs import ROOT, Program, Running, start
from local_dev.readiness import printing

HOST_JSON = ROOT / "host.json"

Functions = Mapping[str, Callable[[Any], Awaitable[None]]]  # by queue


def found() -> str | None:
    """Return the listener's path, if it is there."""
    return os.environ.get("QUEUE_HOST") or shutil.which("queue-host")


def program() -> str:
    """Return the listener's path; skip the test where nobody has it, but not in CI."""
    if path := found():
        return path
    reason = "QUEUE_HOST names no program, and there is no queue-host on PATH"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


async def put_as_csharp(client: str, connection: str, queue: str, text: str) -> None:
    """Put a message as one of C#'s storage clients does: v11, v12 or v12-base64."""
    command = [program(), "put", client, queue, text]
    settings = {"AzureWebJobsStorage": connection}
    putting = Running(Program("queue-host", command, environment=settings))
    assert await asyncio.to_thread(putting.ends) == 0, putting.printed


@asynccontextmanager
async def listening(
    connection: str, queues: Iterable[str], callback: str, host_json: Path = HOST_JSON
) -> AsyncIterator[Running]:
    """Feed functions behind a callback from their queues, with the app's host.json or another.

    Yields the listener, which prints a line of JSON for each event.
    """
    command = [program(), "--queues", ",".join(queues), "--host-json", str(host_json)]
    command += ["--callback", callback]
    settings = {"AzureWebJobsStorage": connection}
    async with _running(Program("queue-host", command, printing("started"), settings)) as running:
        yield running


@asynccontextmanager
async def in_this_process(functions: Functions) -> AsyncIterator[str]:
    """Let functions be called over HTTP; yield the callback."""
    app = web.Application()
    app.router.add_post("/{queue}", _invoking(functions))
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def in_their_worker(environ: Mapping[str, str]) -> AsyncIterator[str]:
    """Load the app as in Azure, by the real worker where there is a Python for it."""
    (port,) = free_ports(1)
    python = os.environ.get("REAL_WORKER_PYTHON", sys.executable)
    command = (python, "-m", "tests.functional.queue_functions", str(port))
    async with _running(Program("functions", command, printing("loaded by"), environ)):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _running(wanted: Program) -> AsyncIterator[Running]:
    started = await asyncio.to_thread(start, wanted)
    try:
        yield started
    finally:
        await asyncio.to_thread(started.stop)


def _invoking(functions: Functions) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def invoke(request: web.Request) -> web.Response:
        call = await request.json()
        await functions[request.match_info["queue"]](_message(*as_sent(call)))
        return web.Response()

    return invoke


def as_sent(call: Any) -> tuple[Datum, dict[str, Datum]]:
    """Return what the host sends the worker for `data_type=BINARY`."""
    metadata = {name: Datum(json.dumps(value), "json") for name, value in call["metadata"].items()}
    return Datum(call["text"].encode(), "bytes"), metadata


def _message(body: Datum, metadata: Mapping[str, Datum]) -> Any:
    converter: Any = func.get_binding_registry().get("queueTrigger")  # type: ignore[no-untyped-call]
    return converter.decode(body, trigger_metadata=metadata)
