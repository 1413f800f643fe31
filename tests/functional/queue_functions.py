"""The app's queue functions, loaded by their worker, to be called over HTTP as queue-host does.

python -m tests.functional.queue_functions PORT
"""

import asyncio
import sys
from collections.abc import Mapping

from aiohttp import web

from local_dev.functions_host.app_loader import Function, InvocationError, load_app
from local_dev.programs import ROOT
from tests.functional.real_listener import as_sent


async def main(port: int) -> None:
    """Answer until the process ends."""
    functions, loader = load_app(ROOT, "worker" if sys.version_info >= (3, 13) else "converters")
    by_queue = {each.trigger["queueName"]: each for each in functions if _has_queue(each)}
    assert {each.trigger["dataType"] for each in by_queue.values()} == {"BINARY"}
    app = web.Application()
    app["functions"] = by_queue
    app.router.add_post("/{queue}", _invoke)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(f"loaded by {loader}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _has_queue(function: Function) -> bool:
    return bool(function.trigger["type"] == "queueTrigger")


async def _invoke(request: web.Request) -> web.Response:
    functions: Mapping[str, Function] = request.app["functions"]
    try:
        await functions[request.match_info["queue"]].invoke(*as_sent(await request.json()))
    except InvocationError as error:
        sys.stderr.write(f"{error}\n")
        return web.Response(status=500)
    return web.Response()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
