"""How all queues and tables of an account are reached: one session, one login, the same limits."""

from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from bot_logic.clock import Chance
from bot_logic.storage.authorisation import Authorisation

ATTEMPT_TIMEOUT: Final = 2  # seconds for one attempt, looking up the host's address included


@dataclass(frozen=True, slots=True)
class Access:
    """What all queues and tables of an account share to reach it.

    Attributes:
        session: sends all requests; it may leave answers compressed.
        authorisation: proves who asks.
        chance: for jitter, and for the names of writes.
    """

    session: aiohttp.ClientSession
    authorisation: Authorisation
    chance: Chance

    def for_clients(self) -> dict[str, Any]:
        """Return the same for a client of Azure's packages, with the limits of our requests."""
        # By default each call of the packages' clients looks for proxies and for a .netrc file, on
        # two threads: a quarter of what the call costs, for something that does not change.
        # https://learn.microsoft.com/python/api/azure-core/azure.core.pipeline.transport.aiohttptransport
        transport = AioHttpTransport(
            session=self.session, session_owner=False, use_env_settings=False
        )
        return {
            "credential": self.authorisation.for_clients(),
            "transport": transport,
            "retry_total": 1,
            "connection_timeout": ATTEMPT_TIMEOUT,
            "read_timeout": ATTEMPT_TIMEOUT,
        }
