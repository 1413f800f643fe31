"""Channels on which a client says who its user is, and nobody vouches for that.

A visitor of a web page with a Direct Line token chooses what stands in `from`, unless the token was
made for one user, whose id then begins with "dl_".
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-direct-line-3-0-authentication
"""

from typing import Final

OF_CLIENTS: Final = frozenset({"directline", "directlinespeech", "webchat", "emulator"})
BOUND: Final = "dl_"  # how the ids begin that Direct Line binds a token to


def is_of_clients(channel: str) -> bool:
    """Tell whether a channel's clients say themselves who they are."""
    return channel.lower() in OF_CLIENTS
