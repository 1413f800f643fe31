"""Microsoft's own queue listener as a process, calling functions in the test's process."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.functions.meta import Datum

from local_dev.programs import Program, Running, start
from local_dev.readiness import printing

HOST_JSON = Path(__file__).parents[2] / "host.json"

Functions = Mapping[str, Callable[[Any], Awaitable[None]]]  # by queue


def program() -> str:
    """Return the listener's path; skip the test where nobody has it, but not in CI."""
    found = os.environ.get("QUEUE_HOST") or shutil.which("queue-host")
    if found:
        return found
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
async def listening(connection: str, functions: Functions) -> AsyncIterator[None]:
    """Feed functions from their queues, with the app's host.json."""
    app = web.Application()
    app.router.add_post("/{queue}", _invoking(functions))
    async with TestServer(app) as server:
        command = [program(), "--queues", ",".join(functions), "--host-json", str(HOST_JSON)]
        command += ["--callback", str(server.make_url("")).rstrip("/")]
        settings = {"AzureWebJobsStorage": connection}
        listener = Program("queue-host", command, printing("started"), settings)
        started = await asyncio.to_thread(start, listener)
        try:
            yield
        finally:
            await asyncio.to_thread(started.stop)


def _invoking(functions: Functions) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def invoke(request: web.Request) -> web.Response:
        call = await request.json()
        await functions[request.match_info["queue"]](_message(call))
        return web.Response()

    return invoke


def _message(call: Any) -> Any:
    """Decode a message as the Python worker does for `data_type=BINARY`."""
    metadata = {name: Datum(json.dumps(value), "json") for name, value in call["metadata"].items()}
    converter: Any = func.get_binding_registry().get("queueTrigger")  # type: ignore[no-untyped-call]
    return converter.decode(Datum(call["text"].encode(), "bytes"), trigger_metadata=metadata)
