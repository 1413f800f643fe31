"""How the storage clients reach their service: over aiohttp, and with less ado than by default.

By default each of their calls looks for proxies and for a .netrc file, on two threads: a quarter of
what the call costs, for something that does not change. And connections stay in the pool for 15
idle seconds, where a service that closes them sooner (Azurite: after 6) makes all calls of a burst
fail at once.
https://learn.microsoft.com/python/api/azure-core/azure.core.pipeline.transport.aiohttptransport
"""

from typing import Final

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

KEEP_ALIVE: Final = 5.0  # seconds


def storage_transport(keep_alive: float = KEEP_ALIVE) -> AioHttpTransport:
    """A connection pool for one client, which closes it. To be made on the running event loop."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=keep_alive),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # the storage clients do it
    )
    return AioHttpTransport(session=session, use_env_settings=False)
