"""How the storage clients reach their service: over aiohttp, and without asking the environment.

By default each of their calls looks for proxies and for a .netrc file, on two threads: a quarter of
what the call costs, for something that does not change.
https://learn.microsoft.com/python/api/azure-core/azure.core.pipeline.transport.aiohttptransport
"""

from azure.core.pipeline.transport import AioHttpTransport


def direct_transport() -> AioHttpTransport:
    """A connection pool for one client, which closes it."""
    return AioHttpTransport(use_env_settings=False)
