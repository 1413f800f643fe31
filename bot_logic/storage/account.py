"""The real storage account: one pool of connections and one credential for all that is in it."""

import ssl
from typing import Final

import aiohttp

from bot_logic.clock import SYSTEM_CHANCE, SYSTEM_CLOCK, Chance, Clock
from bot_logic.storage.access import Access
from bot_logic.storage.authorisation import authorisation
from bot_logic.storage.location import StorageLocation
from bot_logic.storage.queues import StorageQueue
from bot_logic.storage.tables import StorageTable

KEEP_ALIVE: Final = 5.0  # idle seconds; Azurite closes its connections after 6


class StorageAccount:
    """Queues and tables of one account. To be made on the running event loop."""

    def __init__(
        self,
        location: StorageLocation,
        *,
        clock: Clock = SYSTEM_CLOCK,
        chance: Chance = SYSTEM_CHANCE,
        keep_alive: float = KEEP_ALIVE,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare to talk to the account.

        Args:
            location: where it is, and how to log in.
            clock: what time it is, for tokens.
            chance: for jitter, and for the names of writes.
            keep_alive: seconds after which an idle connection is closed.
            trust: whose certificates are believed; None means the system's.
        """
        self._location = location
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=keep_alive, ssl=trust or True),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # the packages' clients do it
        )
        self._authorisation = authorisation(location.login, self._session, clock)
        self._access = Access(self._session, self._authorisation, chance)
        self._queues: dict[str, StorageQueue] = {}
        self._tables: dict[str, StorageTable] = {}

    def queue(self, name: str) -> StorageQueue:
        """Return the queue of this name, which is created when it is first needed."""
        if name not in self._queues:
            self._queues[name] = StorageQueue(self._location.queue_url, name, self._access)
        return self._queues[name]

    def table(self, name: str) -> StorageTable:
        """Return the table of this name, which is created when it is first needed."""
        if name not in self._tables:
            self._tables[name] = StorageTable(self._location.table_url, name, self._access)
        return self._tables[name]

    async def close(self) -> None:
        """Close all connections."""
        await self._authorisation.close()
        await self._session.close()
