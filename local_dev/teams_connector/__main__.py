"""Command line: ``python -m local_dev.teams_connector --port 3979``."""

import argparse
import asyncio
import logging
import sys

from local_dev.teams_connector import TeamsConnector, running
from local_dev.teams_connector.limits import OVERALL, PER_CONVERSATION, Limits

logger = logging.getLogger("local_dev.teams_connector")


def main() -> None:
    """Read the arguments, then serve until Ctrl-C."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S"
    )
    parser = argparse.ArgumentParser(prog="python -m local_dev.teams_connector")
    parser.add_argument("--port", type=int, default=3979, help="on 127.0.0.1 (default: 3979)")
    parser.add_argument(
        "--overall", type=int, default=OVERALL, help="requests in any second (default: %(default)s)"
    )
    parser.add_argument(
        "--per-conversation",
        type=int,
        default=PER_CONVERSATION,
        help="requests in any second to one conversation (default: %(default)s)",
    )
    options = parser.parse_args()
    try:
        asyncio.run(_serve(Limits(options.overall, options.per_conversation), options.port))
    except OSError as error:
        sys.exit(f"The stand-in for Teams cannot start: {error}")
    except KeyboardInterrupt:
        sys.exit(0)


async def _serve(limits: Limits, port: int) -> None:
    async with running(TeamsConnector(limits), port=port) as connector:
        logger.info("service URL %s, counts at %s/local/counts", connector.url, connector.url)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
