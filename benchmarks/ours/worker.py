"""A function app as the Functions worker loads and calls it in Azure; without host and gRPC.

python -m benchmarks.ours.worker PORT FOLDER_OF_THE_APP
"""

import asyncio
import sys
from pathlib import Path

from local_dev.functions_host.app_loader import load_app
from local_dev.functions_host.configuration import Configuration
from local_dev.functions_host.http_server import serve
from local_dev.programs import ROOT


async def main(port: int, app: Path) -> None:
    """Answer the `messages` function's requests until the process ends."""
    functions, _ = load_app(app, "worker")
    configuration = Configuration(ROOT)
    configuration.port = port
    await serve([each for each in functions if each.name == "messages"], configuration)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
